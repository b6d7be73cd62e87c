import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startEmbeddedPostgres, withPostgres, type EmbeddedPostgres } from '@outgrow/databases'
import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { assert, asyncProperty } from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { binaries, dumpOf } from './postgres-binaries.ts'
import { restoreBackup, takeBackup } from './postgres-backup.ts'
import { randomDatabase } from './postgres-random-schema.ts'

const runs = Number(process.env.OUTGROW_PROPERTY_RUNS ?? 3)
const seed = process.env.OUTGROW_SEED === undefined ? undefined : Number(process.env.OUTGROW_SEED)
const everything = readFileSync(join(import.meta.dirname, 'everything.sql'), 'utf8')
const server = inject('postgresUrl')

async function makeRoles(url: string): Promise<void> {
  await withPostgres(url, (client) =>
    client.query(
      ['owner_role', 'reader_role']
        .map(
          (role) =>
            `DO $$ BEGIN CREATE ROLE ${role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
        )
        .join(';'),
    ),
  )
}

async function makeEverything(url: string) {
  await makeRoles(url)
  const database = await makeDatabase(url)
  await withPostgres(database.url, (client) => client.query(everything))
  return database
}

/** Every row of every table, as the server writes it. By a hash of an enum, each database chooses other partitions. */
async function rowsOf(url: string): Promise<Record<string, string[]>> {
  return withPostgres(url, async (client) => {
    await client.query("SET search_path TO ''")
    const { rows: tables } = await client.query<{ label: string }>(
      `SELECT format('%I.%I', nspname, relname) AS label FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE relkind IN ('r', 'p', 'm') AND NOT EXISTS (
              SELECT FROM pg_inherits JOIN pg_partitioned_table ON partrelid = inhparent WHERE inhrelid = c.oid AND partstrat = 'h') AND relispopulated AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' ORDER BY 1`,
    )
    const all: Record<string, string[]> = {}
    for (const { label } of tables) {
      const { rows } = await client.query<{ row: string }>(
        `SELECT t::text AS row FROM ${label} t ORDER BY t::text COLLATE "C"`,
      )
      all[label] = rows.map(({ row }) => row)
    }
    return all
  })
}

test('a database of everything comes back equal', async () => {
  const [source, target] = [await makeEverything(server), await makeDatabase(server)]
  const backup = await takeBackup(source.url)
  expect(backup.manifest.notes).toEqual([])
  const restored = await restoreBackup(backup, target.url)
  expect(restored).toEqual({ differences: [], problems: [], notes: [] })
  const rows = await rowsOf(source.url)
  expect(Object.keys(rows).length).toBeGreaterThan(15)
  expect(await rowsOf(target.url)).toEqual(rows)
})

describe.skipIf(binaries === undefined)('what the server’s own pg_dump says', () => {
  let older: EmbeddedPostgres

  beforeAll(async () => {
    older = await startEmbeddedPostgres({
      directory: join(temporaryFolder(), 'server'),
      binaries: binaries as string,
      settings: ['fsync=off'],
    })
  })
  afterAll(() => older.stop('immediate'))

  test('is the same of a restored database, to the last line', async () => {
    const [source, target] = [await makeEverything(older.url), await makeDatabase(older.url)]
    const restored = await restoreBackup(await takeBackup(source.url), target.url)
    expect(restored).toEqual({ differences: [], problems: [], notes: [] })
    const args = ['--exclude-table-data=by_hash*']
    expect(await dumpOf(target.url, args)).toEqual(await dumpOf(source.url, args))
  })

  test('is the same of any database, whatever became of the original', async () => {
    await assert(
      asyncProperty(randomDatabase, async ({ sql }) => {
        const [source, target] = [await makeDatabase(older.url), await makeDatabase(older.url)]
        await withPostgres(source.url, (client) => client.query(sql))
        const [rows, dump] = [await rowsOf(source.url), await dumpOf(source.url)]
        const backup = await takeBackup(source.url)
        await source.drop()
        expect(await restoreBackup(backup, target.url)).toEqual({ differences: [], problems: [], notes: [] })
        expect(await rowsOf(target.url)).toEqual(rows)
        // By their hash, rows of an enum lie in other partitions.
        expect((await dumpOf(target.url)).toSorted()).toEqual(dump.toSorted())
        await target.drop()
      }),
      { numRuns: runs, endOnFailure: true, ...(seed === undefined ? {} : { seed }) },
    )
  })
})
