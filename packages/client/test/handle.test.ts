import { join } from 'node:path'
import { openSqlite, sqliteAdapterFactory, emptyCounters, TransactionScope } from '@outgrow/databases'
import { PrismaClient, sampleClients, openSample, type SampleDatabase } from '@outgrow/sample'
import { temporaryFolder } from '@outgrow/testing'
import { afterAll, beforeAll, expect, expectTypeOf, test } from 'vitest'
import { readAdapterError } from '../src/adapter-error.ts'
import { clientHandle } from '../src/client-handle.ts'
import { openDatabase, postgresAdapter, sqliteAdapter, type Database, type ModelName } from '../src/index.ts'
import { openFresh, type OpenedDatabase } from './databases.ts'

let one: OpenedDatabase
let other: OpenedDatabase
beforeAll(async () => {
  one = await openFresh('sqlite')
  other = await openFresh('sqlite')
  await one.database.client.label.create({ data: { name: 'one' } })
  await other.database.client.label.create({ data: { name: 'other' } })
})
afterAll(async () => {
  await one.dispose()
  await other.dispose()
})

test('a handle that was kept follows the client of now, and so does what extends it', async () => {
  let now = one.database.client
  const prisma = clientHandle(() => now)
  const shouting = prisma.$extends({
    result: { label: { loud: { needs: { name: true }, compute: ({ name }) => name.toUpperCase() } } },
  })
  const names = async () => [
    (await prisma.label.findFirstOrThrow()).name,
    (await shouting.label.findFirstOrThrow()).loud,
    await shouting.$transaction(async (tx) => (await tx.label.findFirstOrThrow()).loud),
  ]
  expect(await names()).toEqual(['one', 'ONE', 'ONE'])
  now = other.database.client
  expect(await names()).toEqual(['other', 'OTHER', 'OTHER'])
})

test('batches, fluent calls, raw queries and a look at what it has work on it', async () => {
  const { client } = one.database
  const [account, count] = await client.$transaction([
    client.account.create({ data: { name: 'A', slug: 'a', items: { create: { slug: 'i', name: 'I' } } } }),
    client.account.count(),
  ])
  expect(count).toBe(1)
  expect(await client.account.findUniqueOrThrow({ where: { id: account.id } }).items()).toMatchObject([
    { slug: 'i' },
  ])
  expect(await client.$queryRaw`SELECT ${'x'} AS x`).toEqual([{ x: 'x' }])
  expect('account' in client && !('nothing' in client)).toBe(true)
})

test('a look right after a transaction has begun may end it before its callback runs', async () => {
  const [, path = ''] = one.url.split('file:')
  let looks = 0
  const adapter = sqliteAdapterFactory({
    path,
    lockTimeoutMs: 1000,
    synchronous: 'NORMAL',
    counters: emptyCounters(),
    scope: new TransactionScope(),
    afterBegin: (database) => {
      expect(database.inTransaction).toBe(true)
      if (++looks === 2) throw new Error('not here any more')
    },
  })
  const client = new PrismaClient({ adapter })
  const label = (name: string) => client.$transaction((tx) => tx.label.create({ data: { name } }))
  await label('first')
  await expect(label('second')).rejects.toThrow('not here any more')
  await label('third')
  expect(looks).toBe(3)
  expect(await client.label.count({ where: { name: { in: ['first', 'second', 'third'] } } })).toBe(2)
  await client.$disconnect()
})

test('options of the application keep the wait for the lock', async () => {
  const given: unknown[] = []
  class Recorded extends PrismaClient {
    constructor(options: ConstructorParameters<typeof PrismaClient>[0]) {
      super(options)
      given.push(options)
    }
  }
  const clients = { ...sampleClients, sqlite: () => Promise.resolve({ PrismaClient: Recorded }) }
  const database = await openDatabase<PrismaClient>(clients, one.url, {
    client: { transactionOptions: { timeout: 20_000 } },
  })
  await database.close()
  expect(given).toEqual([
    expect.objectContaining({
      transactionOptions: { timeout: 20_000, maxWait: expect.any(Number) as number },
    }),
  ])
})

test('an error is read whatever it carries', () => {
  const meta: Record<string, unknown> = { count: 1n, target: ['name'] }
  meta.self = meta
  expect(readAdapterError({ code: 'P2002', message: 'taken', meta })).toMatchObject({
    code: 'P2002',
    columns: ['name'],
    originalCode: undefined,
  })
})

test('the adapters serve a client that is made by hand', async () => {
  const client = new PrismaClient({ adapter: await sqliteAdapter(one.url) })
  expect(await client.label.count({ where: { name: 'one' } })).toBe(1)
  await client.$disconnect()
  await expect(sqliteAdapter('postgresql://localhost/x')).rejects.toMatchObject({
    code: 'OUTGROW_URL_INVALID',
  })
  await expect(postgresAdapter(one.url)).rejects.toMatchObject({ code: 'OUTGROW_URL_INVALID' })
  // A variable that is not set, and a folder that nobody made.
  for (const url of [undefined as unknown as string, `file:${join(temporaryFolder(), 'none/app.db')}`])
    await expect(sqliteAdapter(url)).rejects.toMatchObject({ code: 'OUTGROW_URL_INVALID' })
})

test('options reach Prisma’s client', async () => {
  const { url } = other
  const silent = await openDatabase<PrismaClient>(sampleClients, url, {
    client: { omit: { label: { name: true } } },
  })
  // One file is one client: whoever opened it first has chosen its options.
  expect(silent.client).toBe(other.database.client)
  await silent.close()
  const file = `${url}-copy`
  openSqlite(file.slice('file:'.length)).close()
  const quiet = await openDatabase<PrismaClient>(sampleClients, file, { client: { errorFormat: 'minimal' } })
  await expect(quiet.client.label.count()).rejects.toMatchObject({ code: 'P2021' })
  await quiet.close()
})

test('a client without the parts that its guarantees rest on is refused, with its version', async () => {
  class Another {
    readonly _clientVersion = '5.22.0'
    $connect = async () => {}
    $disconnect = async () => {}
  }
  const load = async () => ({ PrismaClient: Another as unknown as new (options: never) => PrismaClient })
  const opening = openDatabase({ sqlite: load, postgres: load }, `${one.url}-none`)
  await expect(opening).rejects.toMatchObject({
    code: 'OUTGROW_CLIENT_UNSUPPORTED',
    message: expect.stringContaining('5.22.0') as string,
  })
})

test('types are those of the SQLite client, named or inferred', () => {
  expectTypeOf(openSample).returns.resolves.toEqualTypeOf<SampleDatabase>()
  expectTypeOf<ModelName<PrismaClient>>()
    .extract<'item' | 'billingCustomer'>()
    .toEqualTypeOf<'item' | 'billingCustomer'>()
  const inferred = async () => {
    const { client } = await openDatabase(sampleClients, 'file:x.db')
    return client.item.findFirst({ select: { name: true, account: { select: { slug: true } } } })
  }
  expectTypeOf(inferred).returns.resolves.toEqualTypeOf<{ name: string; account: { slug: string } } | null>()
  expectTypeOf<SampleDatabase>().toExtend<Database>()
})

test('the way past a pooler is known to whoever needs a session, and is of Postgres only', async () => {
  expect(one.database.directUrl).toBe(one.database.url)
  const postgres = await openFresh('postgres')
  const { url } = postgres.database
  expect(postgres.database.directUrl).toBe(url)
  const directUrl = 'postgresql://app@db.example.com/app'
  const named = await openDatabase<PrismaClient>(sampleClients, url, { directUrl })
  expect([named.url, named.directUrl]).toEqual([url, directUrl])
  await named.close()
  await postgres.dispose()
})
