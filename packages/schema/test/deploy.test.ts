import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { deployMigrations } from '../src/index.ts'

test('migrations go into the schema that the URL names, whatever its name is, and into no other', async () => {
  const home = temporaryFolder()
  const folder = join(home, 'postgres/migrations/1_init')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'migration.sql'), 'CREATE TABLE "T" (id int PRIMARY KEY);')
  writeFileSync(join(folder, '../migration_lock.toml'), 'provider = "postgresql"\n')
  const target = await makeDatabase(inject('postgresUrl'))
  for (const name of ['app', 'My "odd" one']) {
    const url = new URL(target.url)
    url.searchParams.set('schema', name)
    expect((await deployMigrations(home, url.href)).applied).toEqual(['1_init'])
    expect((await deployMigrations(home, url.href)).applied).toEqual([])
  }
  expect(
    await target.query(
      "SELECT table_schema AS at, table_name AS name FROM information_schema.tables WHERE table_schema !~ '^pg_|^information' ORDER BY 1, 2",
    ),
  ).toEqual([
    { at: 'My "odd" one', name: 'T' },
    { at: 'My "odd" one', name: '_prisma_migrations' },
    { at: 'app', name: 'T' },
    { at: 'app', name: '_prisma_migrations' },
  ])
  await target.drop()
})
