import { withPostgres } from '@outgrow/databases'
import { openSample, sampleClients, type PrismaClient } from '@outgrow/sample'
import { LiveGraduation, makeSampleDatabase, until } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { openDatabase } from '../src/index.ts'

const notify = (url: string, channel: string) =>
  withPostgres(url, (client) => client.query('SELECT pg_notify($1, $2)', [channel, '']))

test('a channel is listened to on whichever database has the rows', async () => {
  const graduation = await LiveGraduation.make(inject('postgresUrl'))
  const { url, postgresUrl } = graduation
  const database = await openDatabase<PrismaClient>(sampleClients, url, { postgresUrl })
  let heard = 0
  const end = database.listen('some "channel"', () => heard++)
  await graduation.begin()
  /** That it listens is heard, and then each notification. */
  const hears = async () => {
    const before = heard
    await until(() => heard > before)
    const began = heard
    await notify(postgresUrl, 'some "channel"')
    await until(() => heard > began)
  }
  expect(heard).toBe(0)
  const first = hears()
  await graduation.forward()
  await first
  await graduation.back()
  await until(() => database.provider === 'sqlite')
  await graduation.prepareTarget()
  const second = hears()
  await graduation.forward()
  await second
  await end()
  const ended = heard
  await notify(postgresUrl, 'some "channel"')
  expect(heard).toBe(ended)
  await database.close()
  await graduation.drop()
})

test('other channels are not heard, and what ends it leaves no connection', async () => {
  const made = await makeSampleDatabase('postgres', inject('postgresUrl'))
  const database = await openSample(made.url)
  let heard = 0
  const end = database.listen('this', () => heard++)
  await until(() => heard === 1)
  await notify(made.directUrl, 'that')
  await notify(made.directUrl, 'this')
  await until(() => heard > 1)
  expect(heard).toBe(2)
  await end()
  const listening = () =>
    withPostgres(made.directUrl, async (client) => {
      const { rows } = await client.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
      )
      return rows.length
    })
  await until(async () => (await listening()) === 0)
  await database.close()
  await made.drop()
})
