import { sampleClients, type PrismaClient, type SampleDatabase } from '@outgrow/sample'
import { makeSampleDatabase, until } from '@outgrow/testing'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { answerInOrder, openDatabase } from '../src/index.ts'
import { askOnAndOn, counters, replica, Replicated } from './replicated.ts'

const rounds = Number(process.env.OUTGROW_REPLICA_READS ?? 400)

let replicated: Replicated

beforeAll(async () => {
  replicated = await Replicated.start(1)
})
afterAll(() => replicated.close())

beforeEach(async () => {
  await replicated.onPrimary('TRUNCATE labels, accounts CASCADE')
  await replicated.caughtUp()
})
afterEach(() => replicated.closeOpened())

test('reads go to the replica, everything else to the primary', async () => {
  const database = await replicated.openInUse()
  const { client } = database
  await client.account.create({ data: { id: 'a', name: 'Acme', slug: 'a' } })
  const reads = [
    () => client.account.findUnique({ where: { id: 'a' } }),
    () => client.account.findUniqueOrThrow({ where: { id: 'a' } }),
    () => client.account.findFirst(),
    () => client.account.findFirstOrThrow(),
    () => client.account.findMany({ include: { items: true } }),
    () => client.account.count(),
    () => client.account.aggregate({ _count: true }),
    () => client.account.groupBy({ by: ['slug'] }),
    () => client.account.findUnique({ where: { id: 'a' } }).items(),
    () => client.$extends({ query: { $allOperations: ({ args, query }) => query(args) } }).account.findMany(),
  ]
  for (const [at, read] of reads.entries()) {
    await read()
    expect([counters(database).replicaReads, String(read)]).toEqual([at + 1, String(read)])
  }
  await client.account.upsert({
    where: { id: 'a' },
    create: { name: 'n', slug: 'n' },
    update: { name: 'Upserted' },
  })
  await client.account.updateManyAndReturn({ data: { name: 'Acme' } })
  await client.$queryRaw`INSERT INTO labels (id, name) VALUES (-1, 'label') RETURNING id`
  await client.$transaction([client.label.findMany(), client.label.count()])
  await client.$transaction(async (tx) => {
    await tx.label.update({ where: { id: -1 }, data: { name: 'changed' } })
    expect(await tx.label.findUnique({ where: { id: -1 } })).toMatchObject({ name: 'changed' })
  })
  await database.perProvider(async ({ client }) => client.label.findMany())
  expect(counters(database)).toMatchObject({ replicaReads: reads.length, primaryReads: 0 })
  expect(await client.label.findUnique({ where: { id: -1 } })).toMatchObject({ name: 'changed' })
})

test('nobody reads less than what he has written', { timeout: 600_000 }, async () => {
  const database = await replicated.openInUse()
  const direct = await openDatabase<PrismaClient>(sampleClients, replicated.urlOn(replicated.standby))
  let missedDirectly = 0
  const stale: string[] = []
  const write = async (writer: number, from: number, to: number) => {
    for (let at = from; at < to; at++) {
      const name = `${writer}-${at}`
      const { client } = database
      const data = { name }
      if (at % 3 === 0) await client.label.create({ data })
      else if (at % 3 === 1) await client.$transaction((tx) => tx.label.create({ data }))
      else await client.$executeRaw`INSERT INTO labels (name) VALUES (${name})`
      const [found, count, without] = await Promise.all([
        client.label.findUnique({ where: { name } }),
        client.label.count({ where: { name } }),
        direct.client.label.count({ where: { name } }),
      ])
      if (!found || count !== 1) stale.push(name)
      if (without === 0) missedDirectly++
    }
  }
  const all = (from: number, to: number) =>
    Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer, from, to)))
  // Whoever does not wait for the replica misses something then: on a slow machine only of the first writes.
  await replicated.configured("recovery_min_apply_delay = '500ms'", async () => {
    let probes = 0
    await until(async () => {
      const name = `probe-${probes++}`
      await database.client.label.create({ data: { name } })
      return (await direct.client.label.count({ where: { name } })) === 0
    })
    await all(0, 2)
  })
  await replicated.configured("recovery_min_apply_delay = '10ms'", async () => {
    await all(2, rounds / 8)
  })
  expect(stale).toEqual([])
  await direct.close()
  const { replicaReads, primaryReads, waits, positions, primaryReasons } = counters(database)
  console.log(
    `${rounds} writes: ${missedDirectly} missed without positions, ${stale.length} with; ${replicaReads} reads of ${replicaReads + primaryReads} on the replica`,
    {
      primaryReasons,
      waits: [waits.count, waits.totalMs / waits.count],
      positions: [positions.count, positions.totalMs / positions.count],
    },
  )
  expect(missedDirectly).toBeGreaterThan(0)
  expect(replicaReads).toBeGreaterThan(0)
})

test('a replica that is stopped goes out of use without an error, and comes back', async () => {
  const database = await replicated.openInUse()
  const { client } = database
  await client.label.create({ data: { name: 'kept' } })
  const changes: boolean[] = []
  database.on('replica', ({ isInUse }) => changes.push(isInUse))
  const { more, stop } = askOnAndOn(async () => client.label.count())
  await more(20)
  await replicated.standby.stop()
  await until(() => !replica(database).isInUse)
  await more(20)
  await replicated.standby.start()
  await until(() => replica(database).isInUse)
  const { replicaReads } = counters(database)
  await until(() => counters(database).replicaReads > replicaReads + 20)
  const { answers, errors } = await stop()
  expect([new Set(answers), errors]).toEqual([new Set([1]), []])
  expect(changes).toEqual([false, true])
})

test('a replica that answers nothing any more keeps no read waiting for long', async () => {
  const database = await replicated.openInUse()
  const { client } = database
  const { more, stop } = askOnAndOn(async () => client.label.count())
  await more(20)
  replicated.standby.gate.hold()
  try {
    await more(20)
    expect(replica(database)).toMatchObject({
      isInUse: false,
      reason: expect.stringContaining('did not answer'),
    })
  } finally {
    replicated.standby.gate.release()
  }
  await until(() => replica(database).isInUse)
  expect((await stop()).errors).toEqual([])
})

test('a replica that lags answers nobody who would miss his writes, and nobody at all when it lags too far', async () => {
  // One lets it lag for as long as the test takes, the other for little.
  const database = await replicated.openInUse({ replicaLimits: { maxWaitMs: 20, maxLagMs: 3_600_000 } })
  const strict = await replicated.openInUse({ replicaLimits: { maxWaitMs: 20, maxLagMs: 1500 } })
  const { client } = database
  await client.label.create({ data: { name: 'before' } })
  await replicated.caughtUp()
  await replicated.paused(async () => {
    await client.label.create({ data: { name: 'after' } })
    const before = counters(database)
    expect(await client.label.count()).toBe(2)
    expect(await client.label.count()).toBe(2)
    const { primaryReasons, waits } = counters(database)
    expect(primaryReasons.behind).toBe(before.primaryReasons.behind + 2)
    // Who comes after one who has waited in vain does not wait.
    expect(waits.count).toBeLessThanOrEqual(before.waits.count + 1)
    // Others, who have written nothing, may read what it has.
    expect(await database.after(undefined, () => client.label.count())).toBe(1)
    await until(async () => {
      await client.label.updateMany({ data: { name: 'after' }, where: { name: 'after' } })
      return !replica(strict).isInUse
    })
    expect(replica(strict).reason).toMatch(/^it is \d+ ms behind$/)
    expect(await strict.after(undefined, () => strict.client.label.count())).toBe(2)
  })
  await until(() => replica(strict).isInUse)
  expect(replica(strict).lagMs).toBeLessThan(1500)
})

test('a read that replaying cancels is answered by the primary', async () => {
  const database = await replicated.openInUse()
  const { client } = database
  await client.label.createMany({ data: [{ name: 'old' }, { name: 'kept' }] })
  // It never ends by itself on the replica.
  await replicated.onPrimary(
    'ALTER TABLE labels RENAME TO stored_labels',
    'CREATE VIEW labels AS SELECT stored_labels.* FROM stored_labels, (SELECT CASE WHEN pg_is_in_recovery() THEN pg_sleep(3600)::text END) AS slept',
  )
  await replicated.caughtUp()
  const before = counters(database).primaryReasons.failed
  await replicated.configured("max_standby_streaming_delay = '10ms'", async () => {
    const reading = database.after(undefined, () => client.label.findMany({ orderBy: { id: 'asc' } }))
    await until(async () => {
      const [row] = await replicated.standby.query(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE query LIKE '%labels%' AND state = 'active' AND pid <> pg_backend_pid()",
      )
      return row?.n === 1
    })
    await replicated.onPrimary("DELETE FROM stored_labels WHERE name = 'old'", 'VACUUM stored_labels')
    expect((await reading).map(({ name }) => name)).toEqual(['kept'])
  })
  expect(counters(database).primaryReasons.failed).toBe(before + 1)
  await replicated.onPrimary('DROP VIEW labels', 'ALTER TABLE stored_labels RENAME TO labels')
})

test('a server that belongs to another cluster, or is no replica, is not read from', async () => {
  const foreign = await makeSampleDatabase('postgres', inject('postgresUrl'))
  try {
    const wrong = await replicated.open({ replicas: [replicated.urlOn(replicated.standby)] }, foreign.url)
    const own = await replicated.open({ replicas: [replicated.url] })
    await until(() => replica(wrong).reason?.includes('another cluster') === true)
    await until(() => replica(own).reason?.includes('it is a primary') === true)
    await wrong.client.label.create({ data: { name: 'there' } })
    expect(await wrong.client.label.count()).toBe(1)
    expect(await own.client.label.count()).toBe(0)
    expect(counters(wrong)).toMatchObject({ replicaReads: 0, primaryReads: 1, primaryReasons: { none: 1 } })
    expect(counters(own)).toMatchObject({ replicaReads: 0 })
    await wrong.close()
  } finally {
    await foreign.drop()
  }
})

test('another process reads what was written when it is given the position', async () => {
  const writer = await replicated.open({ replicas: [] })
  const reader = await replicated.openInUse()
  await replicated.paused(async () => {
    await writer.client.label.create({ data: { name: 'told' } })
    const token = await writer.position()
    expect(await reader.after(undefined, () => reader.client.label.count())).toBe(0)
    const waiting = reader.after(token, () => reader.client.label.count())
    await replicated.standby.query('SELECT pg_wal_replay_resume()')
    expect(await waiting).toBe(1)
  })
  expect(counters(reader)).toMatchObject({ replicaReads: 2, primaryReads: 0 })
})

test.each([
  ['nonsense', 'no position'],
  ['1:1:0/0', 'another cluster'],
  ['', 'nothing'],
  ['%0d%0aset-cookie: x', 'an attack'],
  [`${'9'.repeat(20)}:1:FFFFFFFF/FFFFFFFF`, 'the end of all logs'],
])('the token %j, which is %s, is taken for the position of now', async (token) => {
  const writer = await replicated.open({ replicas: [] })
  const reader = await replicated.openInUse()
  await writer.client.label.create({ data: { name: 'x' } })
  expect(await reader.after(token, () => reader.client.label.count())).toBe(1)
  const given = await reader.after(token, () => reader.position())
  expect(given).toMatch(/^\d+:1:[\dA-F]+\/[\dA-F]+$/)
})

test('a token of this cluster from the future keeps nobody waiting', async () => {
  const writer = await replicated.open({ replicas: [] })
  const reader = await replicated.openInUse({ replicaLimits: { maxWaitMs: 60_000 } })
  await writer.client.label.create({ data: { name: 'x' } })
  const [system] = (await writer.position())?.split(':') ?? []
  const token = `${system}:1:FFFFFFFF/FFFFFFFF`
  expect(await reader.after(token, () => reader.client.label.count())).toBe(1)
})

test('a browser reads its own writes, whichever process answers it', async () => {
  const [one, other] = [await replicated.openInUse(), await replicated.openInUse()]
  const answer = (database: SampleDatabase, cookie: string | undefined, work: () => Promise<unknown>) =>
    answerInOrder(database, new Headers(cookie === undefined ? {} : { cookie }), async () =>
      Response.json(await work()),
    )
  const written = await answer(one, undefined, () => one.client.label.create({ data: { name: 'mine' } }))
  const cookie = written.headers.get('set-cookie')
  expect(cookie).toMatch(
    /^outgrow_position=\d+:1:[\dA-F]+\/[\dA-F]+; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/,
  )
  const read = await answer(other, `a=b; ${cookie?.split(';')[0]}`, () => other.client.label.count())
  expect(await read.json()).toBe(1)
  expect(read.headers.get('set-cookie')).toBeNull()
  const stranger = await answer(other, undefined, () => other.client.label.count())
  expect(stranger.headers.get('set-cookie')).toBeNull()
})

test.each([
  [{ replicas: ['file:./app.db'] }, 'OUTGROW_URL_INVALID'],
  [{ replicas: [''] }, 'OUTGROW_URL_INVALID'],
  [{ replicaLimits: { maxWaitMs: -1 } }, 'OUTGROW_REPLICA_OPTION'],
  [{ replicaLimits: { maxWaitMs: NaN } }, 'OUTGROW_REPLICA_OPTION'],
  [{ replicaLimits: { maxLagMs: 1e9 } }, 'OUTGROW_REPLICA_OPTION'],
  [{ replicaLimits: JSON.parse('{ "maxWait": 1 }') as object }, 'OUTGROW_REPLICA_OPTION'],
])('the options %j are refused before anything is opened', async (options, code) => {
  await expect(replicated.open(options)).rejects.toMatchObject({ code })
  await expect(replicated.open(options, 'file:./never-made.db')).rejects.toMatchObject({ code })
})
