import { withPostgres } from '@outgrow/databases'
import { until } from '@outgrow/testing'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { askOnAndOn, counters, replica, Replicated } from './replicated.ts'

let replicated: Replicated

beforeAll(async () => {
  replicated = await Replicated.start(2)
})
afterAll(() => replicated.close())
afterEach(() => replicated.closeOpened())

test('an address that leads to another server shows nobody less than what he has written', async () => {
  const [one, other] = replicated.standbys
  if (!one || !other) throw new Error('two are needed')
  const database = await replicated.openInUse({ replicaLimits: { maxWaitMs: 20 } })
  const { client } = database
  const port = one.gate.port
  let written = 0
  const lookAfterWriting = async (readers: number) => {
    written++
    await client.label.create({ data: { name: `of two servers ${written}` } })
    const seen = await Promise.all(
      Array.from({ length: readers }, () => client.label.findMany({ take: 1000 })),
    )
    expect(seen.map((labels) => labels.length)).toEqual(seen.map(() => written))
  }
  await lookAfterWriting(1)
  await other.query('SELECT pg_wal_replay_pause()')
  // New connections of the pool lead to the one that stands still, and the watched one stays.
  one.gate.port = other.gate.port
  for (let round = 0; round < 5; round++) await lookAfterWriting(8)
  // All of them do.
  one.gate.cut()
  for (let round = 0; round < 20; round++) await lookAfterWriting(8)
  one.gate.port = port
  one.gate.cut()
  await other.query('SELECT pg_wal_replay_resume()')
  await until(() => replica(database).isInUse)
  const { replicaReads } = counters(database)
  await until(async () => {
    await lookAfterWriting(8)
    return counters(database).replicaReads > replicaReads
  })
  await client.label.deleteMany()
})

test('a replica that has all is used right after the log was switched to another segment', async () => {
  const database = await replicated.openInUse()
  await database.client.label.create({ data: { name: 'before the switch' } })
  await replicated.onPrimary('SELECT pg_switch_wal()')
  const before = counters(database)
  expect(await database.client.label.count()).toBe(1)
  expect(counters(database).replicaReads).toBe(before.replicaReads + 1)
  await database.client.label.deleteMany()
})

test('a replica that is promoted answers nothing from then on, and a replica of the old primary nobody of the new one', async () => {
  const [promoted, left] = replicated.standbys
  if (!promoted || !left) throw new Error('two are needed')
  const database = await replicated.openInUse()
  const { client } = database
  const position = await database.position()
  await replicated.caughtUp(promoted) // who has written nothing may read what was there before
  const { more, stop } = askOnAndOn(() => database.after(undefined, () => client.label.count()))
  await more(50)
  const before = counters(database)
  expect(before.replicaReads).toBeGreaterThan(0)
  await promoted.query('SELECT pg_promote()')
  // Whoever reads there now sees a row that the primary does not have.
  await withPostgres(replicated.urlOn(promoted), (there) =>
    there.query("INSERT INTO labels (name) VALUES ('astray')"),
  )
  await more(200)
  await until(() => !replica(database).isInUse)
  const { answers, errors } = await stop()
  expect([new Set(answers), errors]).toEqual([new Set([0]), []])
  expect(replica(database).reason).toContain('it is a primary')

  // The other one replays what the old primary writes: nothing of it is the new one's.
  await client.label.createMany({ data: Array.from({ length: 1000 }, (_, at) => ({ name: `old-${at}` })) })
  await replicated.caughtUp(left)
  const next = await replicated.open(
    { replicas: [replicated.urlOn(left), replicated.url] },
    replicated.urlOn(promoted),
  )
  await until(() => replica(next).reason?.includes('timeline') === true)
  expect(await next.client.label.count()).toBe(1)
  expect(await next.after(position, () => next.client.label.count())).toBe(1)
  expect(counters(next)).toMatchObject({ replicaReads: 0, primaryReads: 2 })
  expect(counters(next).servers.map(({ reason }) => reason)).toEqual([
    'it follows timeline 1, and the primary is on 2',
    expect.stringContaining('it is a primary'),
  ])
})
