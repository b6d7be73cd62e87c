import { mkdirSync, mkdtempSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  openSqliteReadonly,
  quoteIdentifier,
  startEmbeddedPostgres,
  withPostgres,
  type EmbeddedPostgres,
} from '@outgrow/databases'
import type { Report } from '@outgrow/graduate'
import { diffDatamodels, renderDialects, schemaSourceOf } from '@outgrow/schema'
import { measure, type Usage } from '../bench/process-usage.ts'
import { benchSchema, fillShop } from '../bench/shop.ts'

const sizeBytes = Number(process.env.OUTGROW_LARGE_GB ?? 20) * 1e9
/** Of the shop's rows, in the file. */
const bytesPerRow = 339
/** The file and its log while it is filled; the file, the tables, their indexes and Postgres' log after that. */
const diskPerByte = 2.25
const maxPeakBytes = 170e6

const root = join(import.meta.dirname, '../..')
const bin = join(root, 'scripts/bin/outgrow.mjs')
let folder: string
let file: string
let schema: string
let server: EmbeddedPostgres

/** What is never aborted. */
const never = new AbortController().signal

beforeAll(async () => {
  const state = join(root, '.outgrow')
  mkdirSync(state, { recursive: true })
  refuseSmallDisk(state)
  folder = mkdtempSync(join(state, 'large-'))
  schema = join(folder, 'schema.prisma')
  writeFileSync(schema, benchSchema)
  server = await startEmbeddedPostgres({
    directory: join(folder, 'server'),
    settings: ['max_wal_size=2GB', 'maintenance_work_mem=256MB'],
  })
  await compileCommands()
  await fillFile('shop.db', Math.ceil(sizeBytes / bytesPerRow))
})
/** The first run of changed sources compiles them, which takes 50 MB that installed packages do not need. */
async function compileCommands(): Promise<void> {
  await fillFile('small.db', 1000)
  await withPostgres(server.url, (client) => client.query('CREATE DATABASE small'))
  const small = server.url.replace(/\/postgres\?/, '/small?')
  for (const command of ['migrate', 'verify'] as const) await run(command, small)
}

async function fillFile(name: string, rows: number): Promise<void> {
  file = join(folder, name)
  const { sqlite } = renderDialects(schemaSourceOf(benchSchema))
  await fillShop(file, await diffDatamodels('sqlite', undefined, sqlite), rows, never)
}

afterAll(async () => {
  await server?.stop('immediate')
  // Root's server runs as another user, whose cluster may lie outside of the folder.
  if (server !== undefined) rmSync(dirname(server.dataDirectory), { recursive: true, force: true })
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
})

test(`a file of ${sizeBytes / 1e9} GB is moved and verified in little memory`, async () => {
  expect(statSync(file).size).toBeGreaterThan(0.9 * sizeBytes)
  const moved = await outgrow('migrate')
  expect(moved).toMatchObject({ ok: true, findings: [] })
  expect(await outgrow('verify')).toMatchObject({ ok: true, findings: [] })
  expect(moved.tables.length).toBe(6)
  for (const { table, sourceRows, targetRows, digestMatch } of moved.tables) {
    const rows = rowsInFile(table)
    expect({ table, sourceRows, targetRows, digestMatch, there: await rowsInPostgres(table) }).toEqual({
      table,
      sourceRows: rows,
      targetRows: rows,
      digestMatch: true,
      there: rows,
    })
  }
})

async function outgrow(command: 'migrate' | 'verify'): Promise<Report> {
  const { output, peakBytes, ms } = await run(command, server.url)
  process.stdout.write(`${command}: ${Math.round(ms / 1000)} s, peak ${Math.round(peakBytes / 1e6)} MB\n`)
  expect(peakBytes).toBeLessThan(maxPeakBytes)
  return JSON.parse(output.slice(output.indexOf('{\n'))) as Report
}

async function run(command: 'migrate' | 'verify', url: string): Promise<Usage> {
  const args = [bin, command, '--from', file, '--schema', schema, '--work-dir', folder, '--json']
  const usage = await measure(process.execPath, args, { env: { POSTGRES_URL: url }, signal: never })
  if (usage.code !== 0) throw new Error(`${command} ended with ${usage.code}: ${usage.output.slice(-4000)}`)
  return usage
}

function rowsInFile(table: string): number {
  const database = openSqliteReadonly(file)
  try {
    return database
      .prepare(`SELECT count(*) FROM ${quoteIdentifier(table)}`)
      .pluck()
      .get() as number
  } finally {
    database.close()
  }
}

function rowsInPostgres(table: string): Promise<number> {
  return withPostgres(server.url, async (client) => {
    const sql = `SELECT count(*)::float8 AS rows FROM ${quoteIdentifier(table)}`
    return (await client.query<{ rows: number }>(sql)).rows[0]?.rows ?? -1
  })
}

function refuseSmallDisk(at: string): void {
  const { bavail, bsize } = statfsSync(at)
  const [free, needed] = [bavail * bsize, diskPerByte * sizeBytes]
  if (free >= needed) return
  const gigabytes = (bytes: number) => `${Math.ceil(bytes / 1e9)} GB`
  throw new Error(
    `${gigabytes(needed)} of disk are needed and ${gigabytes(free)} are free in ${at}: ${gigabytes(needed - free)} are missing. Set OUTGROW_LARGE_GB to less than ${sizeBytes / 1e9}.`,
  )
}
