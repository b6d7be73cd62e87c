import { LiveGraduation, until } from '@outgrow/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openGraduating } from './graduating.ts'
import { work } from './ledger.ts'
import { Replicated, counters, replica } from './replicated.ts'

let replicated: Replicated

beforeAll(async () => {
  replicated = await Replicated.start(1)
})
afterAll(() => replicated.close())

test('an application that graduates uses replicas from the switch on, and none of them on the way back', async () => {
  const graduation = await LiveGraduation.make(replicated.url)
  const standby = new URL(replicated.standby.url)
  standby.pathname = new URL(graduation.postgresUrl).pathname
  const database = await openGraduating(graduation, {
    replicas: [standby.href],
    replicaLimits: { maxWaitMs: 5000 },
    client: { log: [{ emit: 'event', level: 'query' }] },
  })
  const { client } = database
  const heard: string[] = []
  client.$on('query' as never, ({ params }: { params: string }) => heard.push(params))
  await client.account.create({ data: { id: 'a', name: 'Acme', slug: 'a' } })
  for (const slug of ['from', 'to', 'counter'])
    await client.item.create({ data: { slug, name: slug, rating: 0, accountId: 'a' } })
  expect([database.counters().replicas, await database.position()]).toEqual([undefined, undefined])
  let isStopped = false
  const working = work(database, 'w', () => isStopped)
  await graduation.begin()
  await until(() => graduation.processes().some(({ reaches }) => reaches === true))
  for (let round = 0; round < 2; round++) {
    await graduation.forward()
    await until(() => database.provider === 'postgres' && replica(database).isInUse)
    const { replicaReads } = counters(database)
    await until(() => counters(database).replicaReads > replicaReads + 50)
    for (let at = 0; at < 20; at++) {
      const name = `asked ${round} ${at}`
      await client.label.count({ where: { name } })
      expect(heard.some((params) => params.includes(name))).toBe(true)
    }
    await graduation.back()
    await until(() => database.provider === 'sqlite')
    await graduation.prepareTarget()
  }
  const { replicaReads } = counters(database)
  isStopped = true
  const { errors, labels, added } = await working
  expect(errors).toEqual([])
  expect(await client.label.count()).toBe(labels.length)
  expect((await client.item.findUniqueOrThrow({ where: { slug: 'counter' } })).visits).toBe(BigInt(added))
  expect(counters(database).replicaReads).toBe(replicaReads)
  await database.close()
  await graduation.drop()
})
