import { makeSqlite } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { emptyTarget, move, sqliteSchema, verifyMove } from './move.ts'

const schema = sqliteSchema('model T {\n  id Int @id\n  v String\n}')

const fileOf = (rows: number) =>
  makeSqlite(
    `CREATE TABLE "T" (id INTEGER PRIMARY KEY, v TEXT NOT NULL);
     INSERT INTO "T" WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows - 1}) SELECT i, 'v' || i FROM n`,
  )

test('many rows that differ are counted and named exactly', async () => {
  const from = fileOf(120_000)
  const target = await emptyTarget()
  await move(from, target.url, schema)
  await target.query('DELETE FROM "T" WHERE id < 5000')
  await target.query(`UPDATE "T" SET v = v || 'x' WHERE id % 2 = 0`)
  await target.query(`INSERT INTO "T" SELECT 1000000 + i, 'new' FROM generate_series(1, 30000) i`)
  const { findings } = await verifyMove(from, target.url, schema)
  const named = new Map(findings.map((finding) => [finding.code, finding]))
  expect(named.get('OUTGROW_ROW_DIFFERS')).toMatchObject({ column: 'v', count: 57_500 })
  expect(named.get('OUTGROW_ROW_EXTRA')).toMatchObject({ count: 30_000 })
  expect(named.get('OUTGROW_ROW_MISSING')).toMatchObject({ count: 5000 })
  for (const { id } of named.get('OUTGROW_ROW_DIFFERS')?.keys ?? []) expect(Number(id) % 2).toBe(0)
  for (const { id } of named.get('OUTGROW_ROW_MISSING')?.keys ?? []) expect(Number(id)).toBeLessThan(5000)
  for (const { id } of named.get('OUTGROW_ROW_EXTRA')?.keys ?? []) expect(Number(id)).toBeGreaterThan(999_999)
  await target.drop()
})

test('where more differs than is counted, that is said, and what is named is so', async () => {
  const from = fileOf(450_000)
  const target = await emptyTarget()
  await move(from, target.url, schema)
  await target.query(`UPDATE "T" SET v = v || 'x'`)
  const { findings } = await verifyMove(from, target.url, schema)
  expect(findings).toMatchObject([{ code: 'OUTGROW_ROW_DIFFERS', column: 'v' }])
  expect(findings[0]?.reason).toContain('at least')
  expect(findings[0]?.count).toBeGreaterThan(300_000)
  await target.drop()
}, 300_000)
