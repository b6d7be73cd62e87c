import { statSync } from 'node:fs'
import type { SchemaSource } from '@outgrow/schema'
import { loadHash } from './copy/digest.ts'
import { FindingCollector, FixCounter } from './copy/findings.ts'
import { TableEncoder } from './copy/table-encoder.ts'
import type { MoveOptions } from './options.ts'
import { prepareSchema } from './prepare.ts'
import { findingOf, type Finding, type FixReport, type TableReport } from './report.ts'
import { readSourceObjects } from './source/objects.ts'
import { readTables } from './source/tables.ts'
import { lookAtTarget, type LookedAt } from './target/look.ts'
import { chunksOf } from './source/chunks.ts'
import type { Progress } from './run/move.ts'
import { brokenInSource } from './source/checks.ts'
import { withSnapshot } from './source/snapshot.ts'
import { parsePostgresUrl, type SqliteDatabase } from '@outgrow/databases'

/** What is known about a file before it is moved. */
export interface Inspection {
  sqliteVersion: string
  journalMode: string
  encoding: string
  integrity: string
  sizeBytes: number
  walBytes: number
  tables: TableReport[]
  findings: Finding[]
  fixes: FixReport[]
  notes: string[]
  /** A rough guess from the time that reading took. */
  estimatedMs: number
}

/** Reads the whole file against the schema and changes nothing. */
export async function inspectSource(request: {
  from: string
  /** A Postgres that executes the tables' DDL, and takes it back. */
  at: LookedAt
  schema: SchemaSource
  options: MoveOptions
  progress: Progress
  signal: AbortSignal
}): Promise<Inspection> {
  const { options, progress, signal } = request
  const prepared = await prepareSchema(request.schema, parsePostgresUrl(request.at.url).schema)
  const hash = await loadHash()
  return withSnapshot(request.from, async ({ database, path, sizeBytes }) => {
    const source = readTables(database)
    const objects = readSourceObjects(database, source)
    const {
      plan,
      staging,
      findings: inTheWay,
    } = await lookAtTarget(request.at, { prepared, tables: source, objects, options })
    const started = performance.now()
    const integrity = integrityOf(database)
    const findings = new FindingCollector()
    const fixes = new FixCounter()
    findings.merge([...inTheWay, ...plan.findings, ...plan.left, ...staging.carried.left])
    if (integrity !== 'ok') findings.merge([damaged(integrity)])
    const tables: TableReport[] = []
    let rows = 0
    const planned = plan.tables.map((table) => ({ table, ...chunksOf(database, table) }))
    const totalRows = planned.reduce((sum, { span }) => sum + span, 0)
    for (const { table, ranges } of planned) {
      const encoder = new TableEncoder(database, table, { ...options, onBadValue: 'stop' }, hash)
      for (const range of ranges) {
        for (const buffer of encoder.buffers(range)) {
          progress({ step: 'inspect', rows: rows + encoder.rowsRead, bytes: buffer.length, totalRows })
          await new Promise(setImmediate)
          signal.throwIfAborted()
        }
      }
      rows += encoder.rowsRead
      findings.merge(encoder.findings.findings)
      fixes.merge(encoder.fixes.fixes)
      tables.push({
        table: table.source.name,
        sourceRows: encoder.rowsRead,
        targetRows: 0,
        quarantinedRows: encoder.rowsRead - encoder.digest.rows,
        digestMatch: false,
      })
    }
    findings.merge(brokenInSource(database, plan.tables, staging.constraints, options))
    return {
      sqliteVersion: database.prepare('SELECT sqlite_version()').pluck().get() as string,
      journalMode: database.pragma('journal_mode', { simple: true }) as string,
      encoding: database.pragma('encoding', { simple: true }) as string,
      integrity,
      sizeBytes,
      walBytes: sizeOf(`${path}-wal`),
      tables,
      findings: findings.findings,
      fixes: fixes.fixes,
      notes: [...plan.notes, ...staging.carried.notes],
      estimatedMs: (performance.now() - started) * 3,
    }
  })
}

function integrityOf(database: SqliteDatabase): string {
  try {
    return (database.pragma('integrity_check(10)') as { integrity_check: string }[])
      .map((row) => row.integrity_check)
      .join('; ')
  } catch (error) {
    return (error as Error).message
  }
}

function damaged(integrity: string): Finding {
  return findingOf({
    code: 'OUTGROW_SOURCE_DAMAGED',
    table: null,
    excerpt: integrity.slice(0, 200),
    reason: 'SQLite’s integrity check finds damage in the file',
    fixes: ['recover a copy with `sqlite3 file ".recover"`'],
  })
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
