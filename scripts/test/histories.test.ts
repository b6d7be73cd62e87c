import { readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { MigrationStatus } from '@outgrow/schema'
import { makeDatabase } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { makeShop, outgrow } from '@outgrow/testing/cli'

interface StatusDocument {
  sides: MigrationStatus[]
}

test('after a move the next migration builds on its baseline, and status has both sides', async () => {
  const { file, schema } = makeShop(100)
  const folder = dirname(file)
  const target = await makeDatabase(inject('postgresUrl'))
  const env = {
    SHADOW_DATABASE_URL: inject('postgresUrl'),
    POSTGRES_URL: target.url,
    DATABASE_URL: `file:${file}`,
  }
  const run = <Document = StatusDocument>(...args: string[]) =>
    outgrow<Document>(['schema', ...args, '--schema', schema], env, folder)
  expect((await outgrow(['migrate', '--from', file, '--schema', schema, '--to', target.url])).code).toBe(0)

  const after = await run('status')
  const [sqlite, postgres] = after.document.sides
  expect(postgres).toMatchObject({
    applied: ['0_init'],
    pending: [],
    failed: [],
    edited: [],
    unknown: [],
    drift: [],
  })
  expect([after.code, sqlite?.unrecorded, sqlite?.migrations]).toEqual([4, true, []])

  writeFileSync(
    schema,
    readFileSync(schema, 'utf8').replace('  name   String\n', '  name   String\n  city   String?\n'),
  )
  const written = await run<{ name: string; migrations: { provider: string; sql: string }[] }>(
    'migrate',
    'city',
  )
  expect(written.code).toBe(0)
  const { name, migrations } = written.document
  expect(migrations.map(({ provider }) => provider)).toEqual(['sqlite', 'postgres'])
  expect(migrations[1]?.sql).toMatch(/^-- AlterTable\nALTER TABLE "Customer" ADD COLUMN {5}"city" TEXT;\s*$/)
  expect((await run<{ applied: string[] }>('deploy', '--to', target.url)).document.applied).toEqual([name])
  expect((await run('status', '--to', target.url)).code).toBe(0)

  // The file has tables of its own making: they are not what the migrations make, and the differences are printed.
  const refused = await run<{ error: { code: string; message: string } }>('baseline', '--to', `file:${file}`)
  expect([refused.code, refused.document.error.code]).toEqual([2, 'OUTGROW_BASELINE_DIFFERS'])
  expect(refused.document.error.message).toContain('missing or different: column Customer.city TEXT')
  await target.drop()
})

test('a failed migration is resolved by the command that its failure names', async () => {
  const { schema } = makeShop(1)
  const folder = dirname(schema)
  const target = await makeDatabase(inject('postgresUrl'))
  const env = { SHADOW_DATABASE_URL: inject('postgresUrl'), DATABASE_URL: target.url }
  const run = (...args: string[]) =>
    outgrow<{
      error: { code: string; message: string; fix: string } | null
      name: string
      applied: string[]
    }>(['schema', ...args, '--schema', schema], env, folder)
  const { name } = (await run('migrate', 'init')).document
  const file = `${folder}/postgres/migrations/${name}/migration.sql`
  const good = readFileSync(file, 'utf8')
  writeFileSync(file, `${good}\nSELECT nothing_like_it();\n`)
  const failed = (await run('deploy')).document.error
  expect(failed).toMatchObject({
    code: 'OUTGROW_MIGRATION_FAILED',
    message: expect.stringContaining(
      `${name}/migration.sql:${good.split('\n').length + 1}: function nothing_like_it() does not exist`,
    ) as string,
  })
  writeFileSync(file, good)
  expect((await run('deploy')).document.error?.code).toBe('OUTGROW_MIGRATION_UNRESOLVED')
  const [, command = ''] = /outgrow schema (resolve --rolled-back \S+),/.exec(failed?.fix ?? '') ?? []
  expect((await run(...command.split(' '))).document.error).toBe(null)
  expect((await run('deploy')).document.applied).toEqual([name])
  await target.drop()
})
