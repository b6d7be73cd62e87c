import { makeSqlite } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { emptyTarget, findingsOf, move, postgresSchema, sqliteSchema, verifyMove } from './move.ts'

test('a column is cast to another type by name, and verify says that it compares only NULL there', async () => {
  const schema = sqliteSchema('model T {\n  id Int @id\n  ip String\n}')
  const from = makeSqlite(
    `CREATE TABLE "T" (id INTEGER PRIMARY KEY, ip TEXT NOT NULL); INSERT INTO "T" VALUES (1, '10.0.0.1')`,
  )
  const target = await emptyTarget()
  await move(from, target.url, schema, { casts: new Map([['T.ip', 'inet']]) })
  expect(await target.query('SELECT pg_typeof(ip)::text AS type, ip::text FROM "T"')).toEqual([
    { type: 'inet', ip: '10.0.0.1/32' },
  ])
  const checked = await verifyMove(from, target.url, schema)
  expect(checked.tables.map(({ digestMatch }) => digestMatch)).toEqual([true])
  expect(checked.notes).toEqual(['T.ip is compared only by whether it is NULL: the server cast it to inet.'])
  await target.query('ALTER TABLE "T" ALTER ip DROP NOT NULL; UPDATE "T" SET ip = NULL')
  const { findings } = await verifyMove(from, target.url, schema)
  expect(findings).toContainEqual(
    expect.objectContaining({ code: 'OUTGROW_ROW_DIFFERS', column: 'ip', keys: [{ id: 1 }] }),
  )
  await target.drop()
})

test('a list that the target keeps as an array arrives as one', async () => {
  const schema = postgresSchema('model T {\n  id Int @id\n  tags String[]\n  numbers Int[]\n}')
  const from = makeSqlite(
    `CREATE TABLE "T" (id INTEGER PRIMARY KEY, tags JSONB, numbers JSONB);
     INSERT INTO "T" VALUES (1, '["a","b c"]', '[1,-2]'), (2, '[]', '[]')`,
  )
  const target = await emptyTarget()
  await target.query('CREATE TABLE "T" (id int PRIMARY KEY, tags text[], numbers int[])')
  await move(from, target.url, schema)
  expect(await target.query('SELECT tags, numbers FROM "T" ORDER BY id')).toEqual([
    { tags: ['a', 'b c'], numbers: [1, -2] },
    { tags: [], numbers: [] },
  ])
  const wrong = makeSqlite(
    `CREATE TABLE "T" (id INTEGER PRIMARY KEY, tags JSONB, numbers JSONB); INSERT INTO "T" VALUES (1, '{}', '["x"]')`,
  )
  const other = await emptyTarget()
  await other.query('CREATE TABLE "T" (id int PRIMARY KEY, tags text[], numbers int[])')
  const findings = await findingsOf(move(wrong, other.url, schema))
  expect(findings.map(({ column, reason }) => [column, reason])).toEqual([
    ['tags', 'is not an array'],
    ['numbers', 'has an element that is text that is not a whole number'],
  ])
  await Promise.all([target.drop(), other.drop()])
})

test('a cast that would lose a part of a value, or refuses it, names the row; its row can be set aside', async () => {
  const schema = sqliteSchema(
    'model T {\n  id Int @id\n  a String?\n  b String?\n  c String?\n  d String?\n  e String?\n  ip String?\n  u String? @unique\n}',
  )
  const from = makeSqlite(
    `CREATE TABLE "T" (id INTEGER PRIMARY KEY, a TEXT, b TEXT, c TEXT, d TEXT, e TEXT, ip TEXT, u TEXT);
     INSERT INTO "T" VALUES (1, 'abc', '1.20', '101', '2024-01-01', '12:30:00.5', '10.0.0.1', 'x'),
       (2, 'abcd', '1.239', '1010', '2024-01-01T23:59:59Z', '12:30:00.123', 'nowhere', 'y'),
       (3, null, null, null, null, null, null, 'x'), (4, 'ab', '2', '111', '2024-01-01T00:00:00Z', '01:00', '::1', 'z')`,
  )
  const casts = new Map(
    Object.entries({
      'T.a': 'varchar(3)',
      'T.b': 'numeric(5,2)',
      'T.c': 'bit(3)',
      'T.d': 'date',
      'T.e': 'time(1)',
      'T.ip': 'inet',
    }),
  )
  const target = await emptyTarget()
  const findings = await findingsOf(move(from, target.url, schema, { casts }))
  expect(
    findings.filter(({ code }) => code === 'OUTGROW_BAD_VALUE').map((f) => [f.column, f.keys, f.reason]),
  ).toEqual([
    ['a', [{ id: 2 }], 'would lose part of its value as varchar(3)'],
    ['b', [{ id: 2 }], 'would lose part of its value as numeric(5,2)'],
    ['c', [{ id: 2 }], 'would lose part of its value as bit(3)'],
    ['d', [{ id: 2 }], 'would lose part of its value as date'],
    ['e', [{ id: 2 }], 'would lose part of its value as time(1)'],
    ['ip', [{ id: 2 }], 'is not a valid inet'],
  ])
  const options = { casts, onBadValue: 'quarantine' as const }
  await move(from, target.url, schema, options)
  expect(
    await target.query('SELECT id, a, b::text, c::text, d::text, e::text, ip::text FROM "T" ORDER BY id'),
  ).toEqual([
    { id: 1, a: 'abc', b: '1.20', c: '101', d: '2024-01-01', e: '12:30:00.5', ip: '10.0.0.1/32' },
    { id: 4, a: 'ab', b: '2.00', c: '111', d: '2024-01-01', e: '01:00:00', ip: '::1/128' },
  ])
  const checked = await verifyMove(from, target.url, schema)
  expect(checked.findings).toEqual([])
  expect(checked.tables.map(({ digestMatch, quarantinedRows }) => [digestMatch, quarantinedRows])).toEqual([
    [true, 2],
  ])
  await target.drop()
})
