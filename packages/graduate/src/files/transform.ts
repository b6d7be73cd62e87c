import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parsePostgresUrl, type SqliteDatabase } from '@outgrow/databases'
import type { SchemaSource } from '@outgrow/schema'
import { loadHash } from '../copy/digest.ts'
import { FindingCollector, FixCounter } from '../copy/findings.ts'
import { TableEncoder } from '../copy/table-encoder.ts'
import type { MoveOptions } from '../options.ts'
import { refuseDrift, type PlannedTable } from '../plan.ts'
import { prepareSchema } from '../prepare.ts'
import { chunksOf } from '../source/chunks.ts'
import type { Progress } from '../run/move.ts'
import { brokenInSource } from '../source/checks.ts'
import { withSnapshot } from '../source/snapshot.ts'
import { readSourceObjects } from '../source/objects.ts'
import { readTables } from '../source/tables.ts'
import { lookAtTarget, type LookedAt } from '../target/look.ts'
import {
  readManifest,
  serializeOptions,
  writeManifest,
  type Manifest,
  type RenderedTable,
} from './manifest.ts'

/** Decides every value of an exported snapshot by the rules and writes files that Postgres can load. */
export async function transformSnapshot(request: {
  directory: string
  /** A Postgres that executes the tables' DDL, and takes it back. */
  at: LookedAt
  schema: SchemaSource
  options: MoveOptions
  progress: Progress
  signal: AbortSignal
}): Promise<Manifest> {
  const directory = resolve(request.directory)
  const manifest = readManifest(directory)
  const { options } = request
  const prepared = await prepareSchema(request.schema, parsePostgresUrl(request.at.url).schema)
  const hash = await loadHash()
  return withSnapshot(join(directory, manifest.snapshot.file), async ({ database }) => {
    const source = readTables(database)
    const objects = readSourceObjects(database, source)
    const { plan, staging } = await lookAtTarget(request.at, { prepared, tables: source, objects, options })
    refuseDrift(plan.findings)
    const folder = join(directory, 'tables')
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    const findings = new FindingCollector()
    const fixes = new FixCounter()
    const quarantine = openSync(join(directory, 'quarantine.ndjson'), 'w')
    const totalRows = manifest.tables.reduce((sum, { rows }) => sum + rows, 0)
    const tables: RenderedTable[] = []
    let rows = 0
    try {
      for (const [at, table] of plan.tables.entries()) {
        const encoder = new TableEncoder(database, table, options, hash)
        const file = join('tables', `${String(at + 1).padStart(3, '0')}.copy`)
        const bytes = await writeRows(database, table, encoder, join(directory, file), (read) => {
          request.signal.throwIfAborted()
          request.progress({ step: 'transform', rows: rows + read, bytes: 0, totalRows })
        })
        for (const row of encoder.quarantined) writeSync(quarantine, `${JSON.stringify(row)}\n`)
        rows += encoder.rowsRead
        findings.merge(encoder.findings.findings)
        fixes.merge(encoder.fixes.fixes)
        tables.push({
          table: table.source.name,
          file,
          columns: table.columns.map(({ target }) => target.name),
          rows: encoder.digest.rows,
          hashSum: String(encoder.digest.sum),
          bytes,
          rowsRead: encoder.rowsRead,
        })
      }
    } finally {
      closeSync(quarantine)
    }
    if (options.onBadValue === 'stop') {
      findings.merge(brokenInSource(database, plan.tables, staging.constraints, options))
    }
    manifest.transformed = {
      options: serializeOptions(options),
      schema: prepared.checksum,
      tables,
      findings: findings.findings,
      fixes: fixes.fixes,
      quarantine: 'quarantine.ndjson',
    }
    writeManifest(directory, manifest)
    return manifest
  })
}

async function writeRows(
  database: SqliteDatabase,
  table: PlannedTable,
  encoder: TableEncoder,
  path: string,
  report: (rows: number) => void,
): Promise<number> {
  const file = openSync(path, 'w')
  let bytes = 0
  try {
    for (const range of chunksOf(database, table).ranges) {
      for (const buffer of encoder.buffers(range)) {
        bytes += writeSync(file, buffer)
        report(encoder.rowsRead)
        await new Promise(setImmediate) // Ctrl-C must be heard
      }
    }
  } finally {
    closeSync(file)
  }
  return bytes
}
