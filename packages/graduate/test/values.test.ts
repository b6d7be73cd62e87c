import { makeSqlite, type TestDatabase } from '@outgrow/testing'
import type { SqliteDatabase } from '@outgrow/databases'
import { proveDialects, schemaSourceOf, writeGenerated } from '@outgrow/schema'
import { dirname } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { emptyTarget, findingsOf, move, postgresSchema, sqliteSchema } from './move.ts'
import { cases } from './value-cases.ts'

const colors = `enum Colour {
  RED       @map("red")
  LIGHTBLUE @map("light-blue")
}
`

/** All cases as columns of one row each, so that one move answers for many. */
describe.each(['exact', 'fixed'] as const)('values that arrive: %s', (kind) => {
  const chosen = Object.entries(cases).filter(
    ([, one]) => one.shows !== undefined && (one.fix !== undefined) === (kind === 'fixed'),
  )
  let target: TestDatabase
  let shown: Record<string, unknown>
  let fixes: { rule: string; column: string }[] = []
  let tables: unknown

  beforeAll(async () => {
    target = await emptyTarget()
    const fields = chosen.map(([, one], at) => `  c${at} ${one.type}`).join('\n')
    const columns = chosen.map(([, one], at) => `c${at} ${one.declared ?? 'BLOB'}`).join(', ')
    const from = makeSqlite(
      `CREATE TABLE "T" (id INTEGER PRIMARY KEY, ${columns}); INSERT INTO "T" VALUES (1, ${chosen.map(([, one]) => one.stored).join(', ')})`,
    )
    // A source of the Postgres dialect names native types; DateTime gets a zone unless it says otherwise.
    const schema = postgresSchema(
      `${colors}model T {\n  id Int @id\n${fields.replaceAll(/ DateTime$/gm, ' DateTime @db.Timestamptz(3)')}\n}`,
    )
    const plain = chosen.findIndex(([name]) => name.includes('without zone'))
    const result = await move(
      from,
      target.url,
      plain < 0 ? schema : schema.replace(`c${plain} DateTime @db.Timestamptz(3)`, `c${plain} DateTime`),
      { rules: new Set(chosen.flatMap(([, one]) => one.fix ?? [])) },
    )
    fixes = result.fixes
    tables = result.tables
    const rows = await target.query(`SELECT ${chosen.map((_, at) => `c${at}::text`).join(', ')} FROM "T"`)
    shown = rows[0] as Record<string, unknown>
  })
  afterAll(() => target.drop())

  test('the row is reported as moved', () => {
    expect(tables).toEqual([
      { table: 'T', sourceRows: 1, targetRows: 1, quarantinedRows: 0, digestMatch: true },
    ])
  })

  test.each(chosen.map(([name, one], at) => ({ name, one, column: `c${at}` })))(
    '$name',
    ({ one, column }) => {
      expect(shown[column]).toBe(one.shows)
      for (const rule of one.fix ?? []) expect(fixes).toContainEqual({ rule, table: 'T', column, count: 1 })
    },
  )
})

describe('values that are refused', () => {
  const chosen = Object.entries(cases).filter(([, one]) => one.refused !== undefined)
  let target: TestDatabase
  let findings: Awaited<ReturnType<typeof findingsOf>>

  beforeAll(async () => {
    target = await emptyTarget()
    const fields = chosen.map(
      ([, one], at) => `  c${at} ${one.type.replace(/ DateTime$/, 'DateTime @db.Timestamptz(3)')}`,
    )
    const columns = chosen.map(([, one], at) => `c${at} ${one.declared ?? 'BLOB'}`)
    const from = makeSqlite(
      `CREATE TABLE "T" (id INTEGER PRIMARY KEY, ${columns.join(', ')}); INSERT INTO "T" VALUES (7, ${chosen.map(([, one]) => one.stored).join(', ')})`,
    )
    const schema = postgresSchema(
      `${colors}model T {\n  id Int @id\n${fields.join('\n').replaceAll(/ DateTime$/gm, ' DateTime @db.Timestamptz(3)')}\n}`,
    )
    findings = await findingsOf(move(from, target.url, schema))
  })
  afterAll(() => target.drop())

  test.each(chosen.map(([name, one], at) => ({ name, one, column: `c${at}` })))(
    '$name',
    ({ one, column }) => {
      const finding = findings.find((candidate) => candidate.column === column)
      expect(finding?.reason).toMatch(one.refused as RegExp)
      expect(finding).toMatchObject({ code: 'OUTGROW_BAD_VALUE', table: 'T', count: 1, keys: [{ id: 7 }] })
    },
  )

  test('and the target ends as it was', async () => {
    expect(
      await target.query(
        "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'",
      ),
    ).toEqual([])
    expect(await target.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE '\\_outgrow%'")).toEqual(
      [],
    )
  })
})

test('one column may mix every form of date that Prisma wrote', async () => {
  const target = await emptyTarget()
  const stored = ['1697658213523', "'2023-10-18T19:43:33.523+00:00'", "'2023-10-18 19:43:33.523'"]
  const from = makeSqlite(
    `CREATE TABLE "T" (id INTEGER PRIMARY KEY, at DATETIME NOT NULL); ${stored.map((value, at) => `INSERT INTO "T" VALUES (${at}, ${value})`).join(';')}`,
  )
  await move(from, target.url, sqliteSchema('model T {\n  id Int @id\n  at DateTime\n}'))
  expect(await target.query('SELECT DISTINCT at::text FROM "T"')).toEqual([
    { at: '2023-10-18 19:43:33.523+00' },
  ])
  await target.drop()
})

test('lists that stay arrays are not part of a plain move: they become Json', async () => {
  const target = await emptyTarget()
  const from = makeSqlite(
    `CREATE TABLE "T" (id INTEGER PRIMARY KEY, tags JSONB NOT NULL); INSERT INTO "T" VALUES (1, '["a","b"]')`,
  )
  await move(from, target.url, postgresSchema('model T {\n  id Int @id\n  tags String[]\n}'))
  expect(await target.query('SELECT tags FROM "T"')).toEqual([{ tags: ['a', 'b'] }])
  await target.drop()
})

test('text in a UTF-16 file arrives', async () => {
  const target = await emptyTarget()
  const fill = (database: SqliteDatabase) => {
    database.prepare('INSERT INTO "T" VALUES (1, ?)').run('é😀\uFFFD')
  }
  const from = makeSqlite(
    'PRAGMA encoding = "UTF-16"; CREATE TABLE "T" (id INTEGER PRIMARY KEY, name TEXT NOT NULL)',
    fill,
  )
  await move(from, target.url, sqliteSchema('model T {\n  id Int @id\n  name String\n}'))
  expect(await target.query('SELECT name FROM "T"')).toEqual([{ name: 'é😀\uFFFD' }])
  await target.drop()
})

test('an array keeps every digit of its elements, and takes none for another', async () => {
  const target = await emptyTarget()
  const row = [
    '[9007199254740993, -1, null]',
    '["a,]\\"b", "\uFFFD", "[1]"]',
    '[12345678901234567890.12]',
    '[{"a":9007199254740993}, [1, 2], null, "x"]',
    '[1, "a"]',
  ]
  const from = makeSqlite(
    'CREATE TABLE "T" (id INTEGER PRIMARY KEY, big TEXT, texts TEXT, exact TEXT, docs TEXT, odd TEXT)',
    (database) => {
      const insert = database.prepare('INSERT INTO "T" VALUES (?, ?, ?, ?, ?, ?)')
      insert.run(1, ...row)
      insert.run(2, '[]', '[]', '[]', '[]', '["\\ud800"]')
      insert.run(3, '[]', '[true]', '[]', '[]', '[]')
    },
  )
  const schema = schemaSourceOf(
    postgresSchema(
      'model T {\n  id Int @id\n  big BigInt[]\n  texts String[]\n  exact Decimal[] @db.Decimal(40, 5)\n  docs Json[]\n  odd String[]\n}',
    ),
    dirname(from),
  )
  writeGenerated(await proveDialects(schema, { keepLists: true }))
  const result = await move(from, target.url, schema, { onBadValue: 'quarantine' })
  expect(await target.query('SELECT id, big, texts, exact::text, docs::text, odd FROM "T"')).toEqual([
    {
      id: 1,
      big: ['9007199254740993', '-1', null],
      texts: ['a,]"b', '\uFFFD', '[1]'],
      exact: '{12345678901234567890.12000}',
      docs: '{"{\\"a\\": 9007199254740993}","[1, 2]",NULL,"\\"x\\""}',
      odd: ['1', 'a'],
    },
  ])
  expect(result.findings.map(({ column, reason }) => [column, reason])).toEqual([
    ['odd', 'has an element that contains half of a surrogate pair'],
    ['texts', 'has an element that is true, not text'],
  ])
  await target.drop()
})
