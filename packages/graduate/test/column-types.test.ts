import { dirname } from 'node:path'
import { schemaSourceOf } from '@outgrow/schema'
import { makeSqlite } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { verify } from '../src/index.ts'
import { emptyTarget, findingsOf, move, plainOptions, postgresSchema, sqliteSchema } from './move.ts'

test('a column is cast to another type by name, and verify says that it is not compared', async () => {
  const schema = sqliteSchema('model T {\n  id Int @id\n  ip String\n}')
  const from = makeSqlite(
    `CREATE TABLE "T" (id INTEGER PRIMARY KEY, ip TEXT NOT NULL); INSERT INTO "T" VALUES (1, '10.0.0.1')`,
  )
  const target = await emptyTarget()
  await move(from, target.url, schema, { casts: new Map([['T.ip', 'inet']]) })
  expect(await target.query('SELECT pg_typeof(ip)::text AS type, ip::text FROM "T"')).toEqual([
    { type: 'inet', ip: '10.0.0.1/32' },
  ])
  const checked = await verify({
    from,
    to: target.url,
    schema: schemaSourceOf(schema, dirname(from)),
    options: plainOptions,
    signal: new AbortController().signal,
  })
  expect(checked.tables.map(({ digestMatch }) => digestMatch)).toEqual([true])
  expect(checked.notes).toEqual(['T.ip is not compared: the server cast it to inet.'])
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
    ['tags', 'is no array'],
    ['numbers', 'has an element that is text that is no whole number'],
  ])
  await Promise.all([target.drop(), other.drop()])
})
