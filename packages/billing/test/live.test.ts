import { openDatabase } from '@outgrow/client'
import { sampleClients, type PrismaClient } from '@outgrow/sample'
import { LiveGraduation, until } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { eventBody, shopOn } from './shop.ts'

test('every event is stored and worked off once while the application goes to Postgres and back', async () => {
  const graduation = await LiveGraduation.make(inject('postgresUrl'))
  const { url, postgresUrl } = graduation
  const database = await openDatabase<PrismaClient>(sampleClients, url, { postgresUrl })
  const shop = await shopOn({ database, drop: () => graduation.drop() })
  await graduation.begin()
  const accounts = []
  for (let at = 0; at < 3; at++) accounts.push(await shop.account())
  const errors: unknown[] = []
  const stop = new AbortController()
  const working = shop.work({ untilEmpty: false, pollMs: 5, signal: stop.signal, concurrency: 4 })
  let rounds = 0
  const delivering = (async () => {
    while (!stop.signal.aborted) {
      const { customer: id = '' } = accounts[rounds % accounts.length] ?? {}
      const body = eventBody(
        'customer.subscription.updated',
        { id: `sub_${rounds}`, object: 'subscription', customer: id },
        { id: `evt_${rounds}`, created: shop.fake.store.now },
      )
      const { status } = await shop.deliver({ body })
      if (status !== 200) errors.push(status)
      rounds++
    }
  })()
  const moreRounds = async () => {
    const before = rounds
    await until(() => rounds > before + 5)
  }
  await moreRounds()
  for (const turn of ['forward', 'back', 'forward'] as const) {
    await graduation[turn]()
    await moreRounds()
    if (turn === 'back') await graduation.prepareTarget()
  }
  stop.abort()
  await delivering
  const totals = await working
  await shop.work()
  expect(errors).toEqual([])
  expect(totals).toMatchObject({ failed: 0, dead: 0 })
  expect(database.provider).toBe('postgres')
  const events = await graduation.onPostgres<{ status: string; attempts: number; count: string }>(
    'SELECT status, max(attempts) AS attempts, count(*) AS count FROM webhook_events GROUP BY status',
  )
  expect(events).toEqual([{ status: 'done', attempts: 1, count: expect.any(String) as string }])
  expect(Number(events[0]?.count)).toBe(rounds)
  await shop.dispose()
})
