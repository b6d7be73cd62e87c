import { makeSqlite } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { emptyTarget, move, sqliteSchema, verifyMove } from './move.ts'

test('a move that is not to verify moves every row and claims no match', async () => {
  const schema = sqliteSchema('model T {\n  id Int @id\n  name String\n}')
  const from = makeSqlite(
    'CREATE TABLE "T" (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL); INSERT INTO "T" VALUES (1, \'a\'), (2, \'b\')',
  )
  const target = await emptyTarget()
  const { tables } = await move(from, target.url, schema, {}, { verifies: false })
  expect(tables).toMatchObject([{ sourceRows: 2, digestMatch: false }])
  const verified = await verifyMove(from, target.url, schema)
  expect(verified.tables).toMatchObject([{ targetRows: 2, digestMatch: true }])
  await target.drop()
})
