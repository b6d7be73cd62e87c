import { until, type LiveGraduation } from '@outgrow/testing'
import { Prisma, type SampleDatabase } from '@outgrow/sample'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  containsText,
  insertIgnore,
  isUniqueViolation,
  lockForUpdate,
  withRetry,
  type Switched,
} from '../src/index.ts'
import { makeGraduation, openGraduating } from './graduating.ts'

let graduation: LiveGraduation
let database: SampleDatabase
let client: SampleDatabase['client']

beforeEach(async () => {
  graduation = await makeGraduation()
  database = await openGraduating(graduation)
  client = database.client
  await client.account.create({ data: { id: 'a', name: 'Acme', slug: 'a' } })
  await client.label.createMany({ data: [{ name: 'one' }, { name: 'Two' }] })
  await client.item.create({ data: { slug: 'i', name: 'Item', accountId: 'a' } })
  await graduation.begin()
})
afterEach(async () => {
  await database.close()
  await graduation.drop()
})

/** Every kind of operation, and what it says. Each is made before a switch and awaited after it, and the reverse. */
const operations: Record<string, (client: SampleDatabase['client'], mark: string) => PromiseLike<unknown>> = {
  findMany: (client) => client.label.findMany({ where: { name: 'one' }, select: { name: true } }),
  findUnique: (client) => client.account.findUnique({ where: { id: 'a' }, select: { name: true } }),
  count: (client) => client.account.count(),
  aggregate: (client) => client.account.aggregate({ _count: true, _max: { slug: true } }),
  groupBy: (client) => client.account.groupBy({ by: ['slug'], _count: true }),
  fluent: (client) => client.account.findUnique({ where: { id: 'a' } }).items({ select: { slug: true } }),
  include: (client) => client.account.findFirst({ select: { items: { select: { slug: true } } } }),
  create: (client, mark) => client.label.create({ data: { name: `create-${mark}` }, select: { name: true } }),
  createMany: (client, mark) => client.label.createMany({ data: [{ name: `many-${mark}` }] }),
  update: (client) =>
    client.account.update({ where: { id: 'a' }, data: { name: 'Acme' }, select: { name: true } }),
  updateMany: (client) => client.item.updateMany({ data: { visits: { increment: 1 } } }),
  upsert: (client) =>
    client.account.upsert({
      where: { slug: 'a' },
      create: { name: 'no', slug: 'a' },
      update: { name: 'Acme' },
      select: { name: true },
    }),
  nested: (client, mark) =>
    client.account.create({
      data: { id: mark, name: 'N', slug: mark, items: { create: { slug: `n-${mark}`, name: 'N' } } },
      select: { items: { select: { slug: true } } },
    }),
  delete: (client) => client.account.deleteMany({ where: { slug: { notIn: ['a'] } } }),
  queryRaw: (client) => client.$queryRaw`SELECT name FROM labels WHERE name = ${'one'}`,
  sql: (client) =>
    client.$queryRaw(Prisma.sql`SELECT name FROM labels WHERE name IN (${Prisma.join(['one'])})`),
  queryRawUnsafe: (client) => client.$queryRawUnsafe("SELECT name FROM labels WHERE name = 'one'"),
  executeRaw: (client) => client.$executeRaw`UPDATE items SET name = ${'raw'} WHERE slug = ${'i'}`,
  executeRawUnsafe: (client) => client.$executeRawUnsafe("UPDATE items SET name = 'raw' WHERE slug = 'i'"),
  batch: (client) =>
    client.$transaction([
      client.account.count(),
      client.label.findMany({ where: { name: 'one' }, select: { name: true } }),
    ]),
  callback: (client) =>
    client.$transaction(async (tx) => {
      await tx.item.updateMany({ data: { rating: { increment: 1 } } })
      return await tx.account.count()
    }),
}

/** What starts at once, and not when it is awaited. */
const starting = ['batch', 'callback']

test('every kind of operation follows, forward and back, made before the switch and awaited after it', async () => {
  const clean = async () => {
    await client.account.deleteMany({ where: { slug: { notIn: ['a'] } } })
    await client.label.deleteMany({ where: { name: { notIn: ['one', 'Two'] } } })
  }
  const { label } = client
  for (const [name, operation] of Object.entries(operations)) {
    const expected = await operation(client, 'x')
    await clean()
    const forward = starting.includes(name) ? undefined : operation(client, 'x')
    await graduation.forward()
    expect([name, await (forward ?? operation(client, 'x'))]).toEqual([name, expected])
    expect(database.provider).toBe('postgres')
    expect(await label.count({ where: { name: 'one' } })).toBe(1)
    await clean()
    const back = starting.includes(name) ? undefined : operation(client, 'x')
    await graduation.back()
    expect([name, await (back ?? operation(client, 'x'))]).toEqual([name, expected])
    expect(database.provider).toBe('sqlite')
    expect(await label.count({ where: { name: 'one' } })).toBe(1)
    await clean()
    await graduation.prepareTarget()
  }
  expect(database.counters().transactions.count).toBeGreaterThan(3)
}, 240_000)

test('a batch is made of operations from before the switch, and is all or nothing on the other side', async () => {
  const operations = () => [
    client.label.create({ data: { name: 'batch' } }),
    client.$executeRaw`UPDATE items SET name = ${'batch'}`,
    client.account.findUniqueOrThrow({ where: { id: 'a' } }).items(),
  ]
  const made = operations()
  await graduation.forward()
  const [, updated, items] = await client.$transaction(made)
  expect([updated, items]).toEqual([1, [expect.objectContaining({ name: 'batch' })]])
  await expect(client.$transaction(operations())).rejects.toMatchObject({ code: 'P2002' })
  expect(await graduation.onPostgres("SELECT name FROM labels WHERE name = 'batch'")).toHaveLength(1)
})

test('what extends the handle is kept: models, results, queries and the client itself', async () => {
  const asked: string[] = []
  const extended = client
    .$extends({
      result: { label: { loud: { needs: { name: true }, compute: ({ name }) => name.toUpperCase() } } },
      model: { $allModels: { known: () => 'known' } },
      client: { hello: () => 'hello' },
    })
    .$extends({
      query: {
        $allOperations: async ({ operation, args, query }) => {
          asked.push(operation)
          return (await query(args)) as unknown
        },
      },
    })
  const { label } = extended
  // As those do who set a session variable for each query.
  const batching = client.$extends((own) =>
    own.$extends({
      query: {
        $allModels: {
          $allOperations: async ({ args, query }) => {
            const [, result] = await own.$transaction([
              own.$executeRaw`UPDATE items SET name = ${'own'}`,
              query(args),
            ])
            return result
          },
        },
      },
    }),
  )
  const read = async () => {
    const found = await label.findFirstOrThrow({ where: { name: 'one' } })
    const [batched] = await extended.$transaction([label.findFirstOrThrow({ where: { name: 'one' } })])
    const inside = await extended.$transaction((tx) => tx.label.findFirstOrThrow({ where: { name: 'one' } }))
    return [found.loud, batched.loud, inside.loud, label.known(), extended.hello()]
  }
  const expected = ['ONE', 'ONE', 'ONE', 'known', 'hello']
  expect(await read()).toEqual(expected)
  const made = label.findFirstOrThrow({ where: { name: 'one' } })
  await graduation.forward()
  asked.length = 0
  const counting = batching.label.count()
  expect((await made).loud).toBe('ONE')
  expect(await counting).toBe(2)
  // The switch is beneath the extensions: what they do is not done twice.
  expect(asked).toEqual(['findFirstOrThrow'])
  expect(await read()).toEqual(expected)
  await graduation.back()
  expect(await batching.label.count()).toBe(2)
  expect(await read()).toEqual(expected)
})

test('who listens to queries hears those of both databases', async () => {
  const other = await makeGraduation()
  const log = [{ emit: 'event', level: 'query' }]
  const listened = await openGraduating(other, { client: { log } })
  const statements: string[] = []
  const { $on: on } = listened.client as unknown as {
    $on(event: 'query', listener: (event: { query: string }) => void): void
  }
  on('query', ({ query }) => statements.push(query))
  await other.begin()
  await listened.client.label.count()
  await other.forward()
  await listened.client.label.count()
  await listened.client.label.count()
  expect(statements.filter((text) => text.includes('`main`.`labels`')).length).toBeGreaterThan(0)
  expect(statements.filter((text) => text.includes('"public"."labels"')).length).toBeGreaterThan(1)
  await listened.close()
  await other.drop()
})

test('a callback that has begun ends on its side, and code inside it knows which that is', async () => {
  const [begun, ending] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const seen: string[] = []
  const work = (name: string) =>
    client.$transaction(
      async (tx) => {
        seen.push(database.provider)
        await lockForUpdate(database, tx, 'account', { id: 'a' })
        await tx.label.create({ data: { name } })
        begun.resolve()
        await ending.promise
        seen.push(database.provider)
        return tx.label.count({ where: { name } })
      },
      { timeout: 60_000 },
    )
  const onSqlite = work('sqlite')
  await begun.promise
  const switching = graduation.forward() // held off by the write lock
  ending.resolve()
  expect(await onSqlite).toBe(1)
  await switching
  const onPostgres = client.$transaction(
    async (tx) => {
      seen.push(database.provider)
      await lockForUpdate(database, tx, 'account', { id: 'a' })
      const going = graduation.back()
      // The way back waits for the lock that this transaction shares.
      await until(async () => {
        const [held] = await graduation.onPostgres<{ count: string }>(
          `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        )
        return held?.count === '1'
      })
      await tx.label.create({ data: { name: 'late' } })
      return { going, count: await tx.label.count({ where: { name: { in: ['sqlite', 'late'] } } }) }
    },
    { timeout: 60_000 },
  )
  const { going, count } = await onPostgres
  await going
  expect(count).toBe(2)
  expect(await client.label.count({ where: { name: { in: ['sqlite', 'late'] } } })).toBe(2)
  expect(seen).toEqual(['sqlite', 'sqlite', 'postgres'])
  expect(database.provider).toBe('sqlite')
})

test('a transaction between the two commits of a way back waits for the second', async () => {
  await graduation.forward()
  expect(await client.account.count()).toBe(1)
  let calls = 0
  const during: Promise<unknown>[] = []
  await graduation.back(async () => {
    during.push(
      client.$transaction(async (tx) => {
        calls++
        return await tx.account.count()
      }),
      client.$transaction([client.account.count()]),
      (async () => client.account.count())(),
      (async () =>
        client.account.create({
          data: { name: 'N', slug: 'n', items: { create: { slug: 'n', name: 'N' } } },
        }))(),
    )
    // They have met the missing tables by the time that others were answered there, one after the other.
    for (let asked = 0; asked < 5; asked++) await graduation.onPostgres('SELECT 1')
    expect(calls).toBe(0)
  })
  const [inside, batched, root] = await Promise.all(during)
  // Whether they count the new account, too, is a matter of who comes first.
  expect(calls).toBe(1)
  expect([inside, batched, root]).toEqual([expect.any(Number), [expect.any(Number)], expect.any(Number)])
  expect(graduation.inSqlite("SELECT slug FROM items WHERE slug = 'n'")).toHaveLength(1)
})

test('a way back that ends between its two commits is no switch: operations say what is missing, until it is there again', async () => {
  await graduation.forward()
  expect(await client.account.count()).toBe(1)
  const ended = graduation.back(() => Promise.reject(new Error('killed')))
  await expect(ended).rejects.toThrow('killed')
  await expect(client.account.count()).rejects.toMatchObject({ code: 'P2021' })
  await expect(client.$transaction((tx) => tx.account.count())).rejects.toMatchObject({ code: 'P2021' })
  await graduation.prepareTarget()
  expect(await client.$transaction((tx) => tx.account.count())).toBe(1)
  expect(database.provider).toBe('postgres')
  await graduation.back()
  expect([await client.account.count(), database.provider]).toEqual([1, 'sqlite'])
})

test('a statement of one dialect is made again for the other, and is never sent there', async () => {
  const made: string[] = []
  const rename = () =>
    database.perProvider(({ provider, client }) => {
      made.push(provider)
      const [first, second] = provider === 'sqlite' ? ['?', '?'] : ['$1', '$2']
      return client.$executeRawUnsafe(
        `UPDATE labels SET name = ${first} WHERE name = ${second}`,
        'renamed',
        'one',
      )
    })
  const late = client.$executeRawUnsafe('UPDATE labels SET name = ? WHERE name = ?', 'renamed', 'one')
  await graduation.forward()
  expect(await rename()).toBe(1)
  expect(made).toEqual(['sqlite', 'postgres'])
  await expect(late).rejects.toMatchObject({ code: 'OUTGROW_OTHER_DIALECT' })
  const again = () =>
    client.$executeRawUnsafe('UPDATE labels SET name = $1 WHERE name = $2', 'one', 'renamed')
  expect(await withRetry(again)).toBe(1)
  const inside = client.$transaction(() => database.perProvider(({ client }) => client.label.count()))
  await expect(inside).rejects.toMatchObject({ code: 'OUTGROW_ROOT_IN_TRANSACTION' })
})

test('the helpers follow: filters are written for the database that answers, a skipped row stays skipped', async () => {
  const filter = containsText(database, 'tWO')
  const found = client.label.findMany({ where: { OR: [{ name: { ...filter, not: '' } }] } })
  await graduation.forward()
  expect(await found).toHaveLength(1)
  const kept = containsText(database, 'tWO')
  expect(await client.$transaction((tx) => tx.label.count({ where: { name: filter } }))).toBe(1)
  const rows = [{ name: 'one' }, { name: 'three' }]
  const [inserting] = [() => insertIgnore(database, client, 'label', rows)]
  await graduation.back()
  expect(await inserting()).toBe(1)
  expect(await client.label.count({ where: { name: kept } })).toBe(1)
  const error: unknown = await client.label
    .create({ data: { name: 'one' } })
    .catch((caught: unknown) => caught)
  expect(isUniqueViolation(error, database, 'label', ['name'])).toBe(true)
})

test('a table that is really missing is reported as ever, on both sides', async () => {
  const missing = () => client.$queryRaw`SELECT * FROM nothing_here`
  await expect(missing()).rejects.toMatchObject({ code: 'P2010' })
  await graduation.forward()
  expect(await client.label.count()).toBe(2)
  await expect(missing()).rejects.toMatchObject({ code: 'P2010' })
  await graduation.onPostgres('DROP TABLE votes')
  await expect(client.vote.count()).rejects.toMatchObject({ code: 'P2021' })
  expect(database.provider).toBe('postgres')
})

test('listeners hear of each switch, and may stop', async () => {
  const events: Switched[] = []
  const stop = database.on('switched', (event) => events.push(event))
  await graduation.forward()
  await until(() => events.length === 1) // nobody asked anything: the process looks by itself
  await graduation.back()
  await until(() => events.length === 2)
  expect(events).toEqual([
    { provider: 'postgres', epoch: 2 },
    { provider: 'sqlite', epoch: 3 },
  ])
  stop()
  await graduation.prepareTarget()
  await graduation.forward()
  await until(() => database.provider === 'postgres')
  expect(events).toHaveLength(2)
})
