import { makeSqlite } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { emptyTarget, move, sqliteSchema } from './move.ts'

test('WITHOUT ROWID tables, tables without any key and huge rowids are moved', async () => {
  const schema = sqliteSchema(`model A {
  k String @id
  v Int
}
model B {
  v Int?
  w String?
  @@ignore
}
model C {
  id BigInt @id
}
`)
  const from = makeSqlite(`CREATE TABLE "A" (k TEXT NOT NULL PRIMARY KEY, v INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE "B" (v INTEGER, w TEXT);
    CREATE TABLE "C" (id INTEGER NOT NULL PRIMARY KEY);
    INSERT INTO "A" VALUES ('b', 1), ('a', 2); INSERT INTO "B" VALUES (1, NULL), (1, NULL), (NULL, 'x');
    INSERT INTO "C" VALUES (9223372036854775807), (-9223372036854775808), (9007199254740993)`)
  const target = await emptyTarget()
  const { tables } = await move(from, target.url, schema)
  expect(tables.map(({ targetRows }) => targetRows).toSorted((a, b) => a - b)).toEqual([2, 3, 3])
  expect(await target.query('SELECT id FROM "C" ORDER BY id')).toEqual([
    { id: '-9223372036854775808' },
    { id: '9007199254740993' },
    { id: '9223372036854775807' },
  ])
  await target.drop()
})

test('a row without a rowid is found again by a large key, and by one that is no UTF-8', async () => {
  const from = makeSqlite(
    `CREATE TABLE "N" (k INTEGER NOT NULL PRIMARY KEY, big INTEGER, t TEXT) WITHOUT ROWID; INSERT INTO "N" VALUES (9007199254740993, 9007199254740995, 'x');
     CREATE TABLE "S" (k TEXT NOT NULL PRIMARY KEY, n INTEGER) WITHOUT ROWID; INSERT INTO "S" VALUES (CAST(x'61ff' AS TEXT), 9007199254740993), ('ok', 1)`,
  )
  const schema = sqliteSchema(
    'model N {\n  k BigInt @id\n  big BigInt\n  t String\n}\nmodel S {\n  k String @id\n  n BigInt\n}',
  )
  const target = await emptyTarget()
  const { findings } = await move(from, target.url, schema, { onBadValue: 'quarantine' })
  expect(findings.map(({ table, column, count }) => [table, column, count])).toEqual([['S', 'k', 1]])
  expect(await target.query('SELECT k, big FROM "N"')).toEqual([
    { k: '9007199254740993', big: '9007199254740995' },
  ])
  expect(await target.query('SELECT k FROM "S"')).toEqual([{ k: 'ok' }])
  await target.drop()
})
