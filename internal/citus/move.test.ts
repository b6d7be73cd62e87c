import { openSqlite, withPostgres } from '@outgrow/databases'
import { openSample, sampleSchema } from '@outgrow/sample'
import { makeDatabase, makeSampleDatabase, readCitus } from '@outgrow/testing'
import { outgrow } from '@outgrow/testing/cli'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

const coordinator = inject('postgresUrl')
let target: Awaited<ReturnType<typeof makeDatabase>>
let file: string

beforeAll(async () => {
  target = await makeDatabase(coordinator)
  file = (await makeSampleDatabase('sqlite', coordinator)).url
  const database = await openSample(file)
  await database.client.account.create({ data: { id: 'a', name: 'Acme', slug: 'a' } })
  await database.client.item.createMany({
    data: Array.from({ length: 5000 }, (_, at) => ({ slug: `i-${at}`, name: `Item ${at}`, accountId: 'a' })),
  })
  await database.client.item.update({
    where: { slug: 'i-7' },
    data: { labels: { create: [{ name: 'one' }, { name: 'two' }] } },
  })
  await database.close()
})
afterAll(() => target.drop())

test('a file moves into a schema of the cluster, and is verified there', async () => {
  const args = ['--from', file, '--schema', sampleSchema, '--to', target.url]
  const moved = await outgrow(['migrate', ...args])
  expect(moved.document.error).toBeNull()
  expect(moved.code).toBe(0)
  expect((await outgrow(['verify', ...args])).code).toBe(0)
  const [{ items } = {}] = await target.query('SELECT count(*)::int AS items FROM items')
  expect(items).toBe(5000)
})

test('the schema lies on the cluster as a tenant’s does, and the client works in it', async () => {
  const schema = new URL(target.url).searchParams.get('schema')
  const tables = await withPostgres(coordinator, async (client) => {
    const { rows } = await client.query<{ type: string }>(
      "SELECT citus_table_type AS type FROM citus_tables WHERE table_name::text LIKE $1 || '.%'",
      [schema],
    )
    return rows
  })
  expect(new Set(tables.map(({ type }) => type))).toEqual(new Set(['schema']))
  const source = openSqlite(file.slice('file:'.length))
  const { count } = source.prepare('SELECT count(*) AS count FROM items').get() as { count: number }
  source.close()
  const database = await openSample(target.url)
  expect(await database.client.item.count()).toBe(count)
  const found = await database.client.item.findUnique({ where: { slug: 'i-7' }, include: { labels: true } })
  expect(found?.labels).toHaveLength(2)
  await database.client.account.delete({ where: { id: 'a' } })
  expect(await database.client.item.count()).toBe(0)
  await database.close()
})

test('what ran here can be written down as proof', async () => {
  const { citus, postgres, workers } = await readCitus(coordinator)
  console.log(
    `If everything passed, write into packages/operations/src/scale/proof.ts: ${JSON.stringify({ citus, postgres, workers, at: new Date().toISOString().slice(0, 10) })}`,
  )
  expect(workers).toBeGreaterThanOrEqual(2)
})
