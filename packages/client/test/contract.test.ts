import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  chunked,
  containsText,
  insertIgnore,
  isUniqueViolation,
  jsonAt,
  lockForUpdate,
  orderWithNulls,
  withRetry,
} from '../src/index.ts'
import { openSample, Prisma, type SampleDatabase } from '@outgrow/sample'
import { backends, isThere } from '@outgrow/testing'
import { openFresh, type OpenedDatabase } from './databases.ts'

/** Everything that the facade promises, said once and held against both databases, and through a pooler. */
for (const backend of backends)
  describe.skipIf(!isThere(backend))(`the facade on ${backend}`, () => {
    let opened: OpenedDatabase
    let database: SampleDatabase
    let client: SampleDatabase['client']

    beforeAll(async () => {
      opened = await openFresh(backend)
      database = opened.database
      client = database.client
      await client.account.create({ data: { id: 'acme', name: 'Acme', slug: 'acme' } })
    })
    afterAll(() => opened.dispose())

    const makeItem = (slug: string, data: object = {}) =>
      client.item.create({
        data: { slug, name: slug, accountId: 'acme', ...data },
      })

    test('every scalar type comes back as it went in', async () => {
      const publishedAt = new Date('2024-03-10T07:30:00.123Z') // inside New York's clock change
      const { id } = await makeItem('round-trip', {
        revenue: new Prisma.Decimal('12345.67'),
        rating: 0.1,
        visits: 9007199254740993n,
        stack: { db: ['sqlite', null, 1.5], nested: { 'a"b': true } },
        featured: true,
        publishedAt,
      })
      const found = await client.item.findUniqueOrThrow({ where: { id } })
      expect(found).toMatchObject({
        rating: 0.1,
        visits: 9007199254740993n,
        stack: { db: ['sqlite', null, 1.5], nested: { 'a"b': true } },
        featured: true,
        publishedAt,
        stage: 'IDEA',
      })
      expect(found.revenue?.toString()).toBe('12345.67')
      const person = await client.person.create({
        data: { email: 'bytes@example.com', picture: new Uint8Array([0, 255, 1]) },
      })
      const read = await client.person.findUniqueOrThrow({ where: { id: person.id } })
      expect(read.picture).toEqual(new Uint8Array([0, 255, 1]))
      expect(read.preferences).toEqual({})
    })

    test('an instant is the same instant whatever the server’s time zone', async () => {
      const at = new Date('2024-11-03T05:59:59.999Z')
      const { id } = await makeItem('zone', { publishedAt: at })
      const before = await client.item.count({ where: { id, publishedAt: { lt: at } } })
      const upTo = await client.item.count({ where: { id, publishedAt: { lte: at } } })
      expect([before, upTo]).toEqual([0, 1])
    })

    test('transactions that read, then write, lose no update', async () => {
      const { id } = await makeItem('race')
      await Promise.all(
        Array.from({ length: 12 }, () =>
          withRetry(() =>
            client.$transaction(
              async (tx) => {
                await lockForUpdate(database, tx, 'item', { id })
                const { visits } = await tx.item.findUniqueOrThrow({ where: { id } })
                await sleep(2)
                await tx.item.update({ where: { id }, data: { visits: visits + 1n } })
              },
              { maxWait: 20_000, timeout: 20_000 },
            ),
          ),
        ),
      )
      const { visits } = await client.item.findUniqueOrThrow({ where: { id } })
      expect(visits).toBe(12n)
    })

    test('a root query during somebody’s transaction stays outside of it', async () => {
      const { id } = await makeItem('outside')
      const [begun, ending] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const doomed = client.$transaction(async (tx) => {
        await tx.item.update({ where: { id }, data: { name: 'inside' } })
        begun.resolve()
        await ending.promise
        throw new Error('rolled back')
      })
      await begun.promise
      const seen = await client.item.findUniqueOrThrow({ where: { id } })
      const write = (async () => client.label.create({ data: { name: 'acknowledged' } }))()
      ending.resolve()
      await expect(doomed).rejects.toThrow('rolled back')
      await write
      expect(seen.name).toBe('outside')
      expect(await client.label.count({ where: { name: 'acknowledged' } })).toBe(1)
      expect((await client.item.findUniqueOrThrow({ where: { id } })).name).toBe('outside')
    })

    test('calling the root client inside its own callback is refused in words', async () => {
      const inside = client.$transaction(async (tx) => {
        await tx.label.create({ data: { name: 'never' } })
        return client.label.count()
      })
      await expect(inside).rejects.toThrow('inside its own transaction callback')
      expect(await client.label.count({ where: { name: 'never' } })).toBe(0)
      // What is returned, and not awaited, starts when the transaction awaits it.
      const returned = client.$transaction(() => client.label.count())
      await expect(returned).rejects.toThrow('inside its own transaction callback')
    })

    test('a root query of the same moment is not taken for one of the transaction, nor the reverse', async () => {
      const read = (from: Pick<SampleDatabase['client'], 'account'>) =>
        from.account.findUniqueOrThrow({ where: { id: 'acme' } })
      const reads: Promise<unknown>[] = []
      await Promise.all(
        Array.from({ length: 5 }, () =>
          client.$transaction(async (tx) => {
            await new Promise(setImmediate)
            await read(tx)
            await new Promise(setImmediate)
            await read(tx)
          }),
        ).concat(
          Array.from({ length: 200 }, async () => {
            await new Promise(setImmediate)
            for (let at = 0; at < 5; at++) {
              reads.push(read(client))
              await reads.at(-1)
            }
          }),
        ),
      )
      expect(await Promise.all(reads)).toHaveLength(1000)
    })

    test('a batch is all or nothing', async () => {
      const batch = client.$transaction([
        client.label.create({ data: { name: 'batch' } }),
        client.label.create({ data: { name: 'batch' } }),
      ])
      await expect(batch).rejects.toMatchObject({ code: 'P2002' })
      expect(await client.label.count({ where: { name: 'batch' } })).toBe(0)
    })

    test('an extended client keeps the guarantees', async () => {
      const extended = client.$extends({ model: { label: { hello: () => 'hello' } } })
      const refused = extended.$transaction(async (tx) => {
        expect(tx.label.hello()).toBe('hello')
        return client.label.count()
      })
      await expect(refused).rejects.toThrow('inside its own transaction callback')
    })

    test('unique violations tell which key', async () => {
      const create = () => client.account.create({ data: { name: 'Twice', slug: 'twice' } })
      await create()
      const error: unknown = await create().catch((caught: unknown) => caught)
      expect(isUniqueViolation(error)).toBe(true)
      expect(isUniqueViolation(error, database, 'account', ['slug'])).toBe(true)
      expect(isUniqueViolation(error, database, 'account', ['name'])).toBe(false)
      const vote = async () => {
        const person = await client.person.upsert({
          where: { email: 'v@x.io' },
          create: { email: 'v@x.io' },
          update: {},
        })
        const item = await client.item.findFirstOrThrow({ where: { slug: 'race' } })
        return client.vote.create({ data: { personId: person.id, itemId: item.id } })
      }
      await vote()
      const second: unknown = await vote().catch((caught: unknown) => caught)
      expect(isUniqueViolation(second, database, 'vote', ['personId', 'itemId'])).toBe(true)
    })

    test('insertIgnore counts what was new', async () => {
      const rows = ['x', 'y', 'x'].map((name) => ({ name: `ignore-${name}` }))
      expect(await insertIgnore(database, client, 'label', rows)).toBe(2)
      expect(await insertIgnore(database, client, 'label', rows)).toBe(0)
    })

    test('search ignores case and takes wildcards for what they are', async () => {
      await makeItem('search-1', { name: 'One Writer 100%' })
      await makeItem('search-2', { name: 'one writer 100x' })
      const named = async (text: string) =>
        (
          await client.item.findMany({
            where: { name: containsText(database, text) },
            orderBy: { id: 'asc' },
          })
        ).map(({ slug }) => slug)
      expect(await named('WRITER')).toEqual(['search-1', 'search-2'])
      expect(await named('100%')).toEqual(['search-1'])
    })

    test('orders put NULL where they are told', async () => {
      await makeItem('nulls-a', { publishedAt: null })
      await makeItem('nulls-b', { publishedAt: new Date(0) })
      const slugs = async (nulls: 'first' | 'last') =>
        (
          await client.item.findMany({
            where: { slug: { startsWith: 'nulls-' } },
            orderBy: { publishedAt: orderWithNulls('asc', nulls) },
          })
        ).map(({ slug }) => slug)
      expect(await slugs('last')).toEqual(['nulls-b', 'nulls-a'])
      expect(await slugs('first')).toEqual(['nulls-a', 'nulls-b'])
    })

    test('a Json path finds the same rows', async () => {
      await makeItem('json', { stack: { hosting: { region: 'eu' } } })
      const where = { stack: jsonAt(database, ['hosting', 'region'], { equals: 'eu' }) }
      expect((await client.item.findMany({ where })).map(({ slug }) => slug)).toEqual(['json'])
    })

    test('long lists are cut into statements', async () => {
      const ids = Array.from({ length: 2500 }, (_, at) => `none-${at}`)
      const found = await Promise.all(
        chunked(ids).map((part) => client.person.findMany({ where: { id: { in: part } } })),
      )
      expect(found.flat()).toEqual([])
    })

    test('transactions are counted', () => {
      expect(database.counters().transactions.count).toBeGreaterThan(10)
    })
  })

test.each([
  ['', 'is empty'],
  ['mysql://x', 'Not a database URL: mysql:'],
  ['app.db', 'Not a database URL'],
  ['file:', 'has no path'],
  ['postgresql://bad host/x', 'cannot be read'],
])('the URL %j is refused with what was expected', async (url, message) => {
  await expect(openSample(url)).rejects.toMatchObject({
    code: 'OUTGROW_URL_INVALID',
    message: expect.stringContaining(message) as string,
    fix: expect.stringContaining('file:./app.db') as string,
  })
})

test('a password never shows in an error', async () => {
  const opening = openSample('postgresql://app:topsecret@127.0.0.1:1/app')
  const error = await opening.catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'OUTGROW_POSTGRES_UNREACHABLE' })
  expect(JSON.stringify(error) + String(error)).not.toContain('topsecret')
})
