import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeDatabase, makeSqlite, temporaryFolder } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { makeShop, outgrow } from '@outgrow/testing/cli'

test('rows set aside are in a file and in a table; the switch waits until they are accepted', async () => {
  const { file, schema } = makeShop(500, (database) => {
    database.exec(
      `UPDATE "Order" SET note = 'bad' || char(0) WHERE id = 7; UPDATE "Order" SET at = 'soon' WHERE id = 9`,
    )
  })
  const folder = temporaryFolder()
  const environment = join(folder, '.env')
  writeFileSync(environment, '# mine\nDATABASE_URL="file:./dev.db"\nOTHER=1\n')
  const target = await makeDatabase(inject('postgresUrl'))
  const args = [
    '--from',
    file,
    '--schema',
    schema,
    '--to',
    target.url,
    '--work-dir',
    folder,
    '--switch',
    environment,
  ]
  const { code, document } = await outgrow(['migrate', ...args, '--on-bad-value', 'quarantine'])
  expect(code).toBe(4)
  expect(document.tables.find(({ table }) => table === 'Order')).toEqual({
    table: 'Order',
    sourceRows: 500,
    targetRows: 498,
    quarantinedRows: 2,
    digestMatch: true,
  })
  const name = readdirSync(folder).find((entry) => entry.endsWith('.ndjson')) ?? ''
  const lines = readFileSync(join(folder, name), 'utf8').trim().split('\n')
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { table: 'Order', key: { id: 7 }, column: 'note', row: { note: { $text: '62616400' } } },
    { table: 'Order', key: { id: 9 }, column: 'at', row: { at: 'soon' } },
  ])
  expect(readFileSync(environment, 'utf8')).toContain('\nDATABASE_URL="file:./dev.db"')
  const checked = await outgrow(['verify', '--from', file, '--schema', schema, '--to', target.url])
  expect(checked.code).toBe(0)
  await target.drop()

  const second = await makeDatabase(inject('postgresUrl'))
  const accepted = [
    ...args.slice(0, 5),
    second.url,
    ...args.slice(6),
    '--on-bad-value',
    'quarantine',
    '--accept-quarantine',
  ]
  expect((await outgrow(['migrate', ...accepted])).code).toBe(4)
  const switched = readFileSync(environment, 'utf8')
  expect(switched).toContain(
    '# before the move to Postgres: DATABASE_URL="file:./dev.db"\nDATABASE_URL="postgresql://',
  )
  expect(switched).toContain('OTHER=1')
  await second.drop()
})

test('export, transform and import end where migrate ends', async () => {
  const { file, schema } = makeShop(3000)
  const directory = join(temporaryFolder(), 'export')
  const target = await makeDatabase(inject('postgresUrl'))
  const run = async (...args: string[]) => (await outgrow([...args, '--dir', directory])).code
  expect(await run('export', '--from', file)).toBe(0)
  expect(await run('export', '--from', file)).toBe(2)
  expect(await run('import', '--schema', schema, '--to', target.url)).toBe(2)
  expect(await run('transform', '--schema', schema)).toBe(0)
  expect(await run('import', '--schema', schema, '--to', target.url)).toBe(0)
  expect(await run('verify', '--schema', schema, '--to', target.url)).toBe(0)
  expect(await target.query('SELECT count(*) AS rows, max(id) AS last FROM "Order"')).toEqual([
    { rows: '3000', last: 3000 },
  ])
  await target.drop()
})

test('lists of an enum go through files into a database that numbers the enum otherwise', async () => {
  const rows = 20_000
  const from = makeSqlite(
    `CREATE TABLE "T" (id INTEGER PRIMARY KEY, moods JSONB NOT NULL DEFAULT '[]');
     INSERT INTO "T" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
       SELECT i, CASE i % 3 WHEN 0 THEN '[]' WHEN 1 THEN '["ok"]' ELSE '["sad","ok"]' END FROM n`,
  )
  const schema = join(dirname(from), 'schema.prisma')
  writeFileSync(
    schema,
    'datasource db {\n  provider = "postgresql"\n}\n\nenum Mood {\n  sad\n  ok\n}\n\nmodel T {\n  id    Int @id\n  moods Mood[]\n}\n',
  )
  const directory = join(dirname(from), 'export')
  const target = await makeDatabase(inject('postgresUrl'))
  const code = async (...args: string[]) => (await outgrow(args)).code
  expect(await code('generate', '--schema', schema, '--keep-lists')).toBe(0)
  expect(await code('schema', 'migrate', 'init', '--schema', schema)).toBe(0)
  expect(await code('export', '--dir', directory, '--from', from)).toBe(0)
  expect(await code('transform', '--dir', directory, '--schema', schema)).toBe(0)
  const to = ['--dir', directory, '--schema', schema, '--to', target.url]
  expect(await code('import', ...to)).toBe(0)
  expect(await code('verify', ...to)).toBe(0)
  expect(
    await target.query('SELECT moods::text, count(*)::int AS rows FROM "T" GROUP BY 1 ORDER BY 1'),
  ).toEqual([
    { moods: '{ok}', rows: 6667 },
    { moods: '{sad,ok}', rows: 6667 },
    { moods: '{}', rows: 6666 },
  ])
  await target.drop()
})

test('a dry run and an inspection touch nothing and say what is in the way', async () => {
  const { file, schema } = makeShop(100, (database) => {
    database.exec('UPDATE "Order" SET customerId = 12345 WHERE id = 5')
  })
  for (const command of [['inspect'], ['migrate', '--dry-run']]) {
    const { code, document } = await outgrow([...command, '--from', file, '--schema', schema])
    expect(code).toBe(4)
    expect(document.findings).toMatchObject([
      {
        code: 'OUTGROW_ORPHAN',
        table: 'Order',
        column: 'customerId',
        count: 1,
        keys: [{ id: 5 }],
        storage: 'integer',
        excerpt: '12345',
      },
    ])
  }
})

test('no secret shows in what is printed', async () => {
  const { file, schema } = makeShop(10)
  const { stdout, stderr } = await outgrow([
    'migrate',
    '--from',
    file,
    '--schema',
    schema,
    '--to',
    'postgresql://app:topsecret@127.0.0.1:1/x',
  ])
  expect(stdout + stderr).toContain('OUTGROW_POSTGRES_UNREACHABLE')
  expect(stdout + stderr).not.toContain('topsecret')
})
