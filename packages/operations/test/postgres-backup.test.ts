import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { withPostgres } from '@outgrow/databases'
import { makeDatabase } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { restoreBackup, takeBackup } from './postgres-backup.ts'

const server = inject('postgresUrl')
const everything = readFileSync(join(import.meta.dirname, 'everything.sql'), 'utf8')

async function makeRoles(): Promise<void> {
  await withPostgres(server, (client) =>
    client.query(
      ['owner_role', 'reader_role']
        .map((role) => `DO $$ BEGIN CREATE ROLE ${role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`)
        .join(';'),
    ),
  )
}

test('a database of everything comes back equal', async () => {
  await makeRoles()
  const [source, target] = [await makeDatabase(server), await makeDatabase(server)]
  await withPostgres(source.url, (client) => client.query(everything))
  const backup = await takeBackup(source.url)
  expect(backup.manifest.notes).toEqual([])
  const restored = await restoreBackup(backup, target.url)
  expect(restored).toEqual({ differences: [], problems: [], notes: [] })
})
