import { parsePostgresUrl, withPostgres, type PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { SchemaSource } from '@outgrow/schema'
import { emptyDigest, expectedDigest, loadHash, sameDigest } from '../copy/digest.ts'
import type { MoveOptions } from '../options.ts'
import { planMove, refuseDrift, type Plan, type PlannedTable } from '../plan.ts'
import { prepareSchema, type PreparedSchema } from '../prepare.ts'
import { findingOf, type Finding, type TableReport } from '../report.ts'
import { readAdjustments } from '../run/adjust.ts'
import { digestOfTarget } from '../run/load.ts'
import type { Progress } from '../run/move.ts'
import { setsAside } from '../run/quarantine-count.ts'
import { chunksOf } from '../source/chunks.ts'
import type { ReadResult } from '../source/reader-messages.ts'
import type { SourceReader } from '../source/reader.ts'
import { withSharedSnapshot, type Snapshot } from '../source/snapshot.ts'
import { readTables } from '../source/tables.ts'
import { readTargetTables } from '../target/catalog.ts'
import { qualified } from '../target/structure.ts'
import { findRuns, stagedName, type Staging } from '../target/staging.ts'
import { encoderFor } from '../values/encoder-for.ts'
import { findDifferences } from './differences.ts'
import { structureFindings, structureNotes } from './structure.ts'

export interface Verification {
  tables: TableReport[]
  findings: Finding[]
  notes: string[]
  ms: number
}

export interface VerifyRequest {
  prepared: PreparedSchema
  /** The recorded run, undefined when nobody recorded one. */
  run: Staging | undefined
  home: string
  /** Of a target without a recorded run. */
  options: MoveOptions
  progress: Progress
  signal: AbortSignal
}

/**
 * Reads both databases afresh and compares every table by count and digest, and the target's structure with what was
 * promised; where they differ, names rows, columns and objects. Rules, skips and rows set aside come from the recorded run,
 * so that what is compared is what was meant to arrive.
 */
export async function verify(request: {
  from: string
  to: string
  schema: SchemaSource
  options: MoveOptions
  progress: Progress
  signal: AbortSignal
}): Promise<Verification> {
  const target = parsePostgresUrl(request.to)
  const preparing = prepareSchema(request.schema, target.schema)
  preparing.catch(() => {}) // awaited below, once both databases are open
  return withSharedSnapshot(request.from, request.signal, (snapshot, reader) =>
    withPostgres(target, async (client) => {
      const prepared = await preparing
      const runs = (await findRuns(client))
        .filter(({ status, staging }) => status === 'published' && staging.home === target.schema)
        .map(({ staging }) => staging)
      const run = runs.find(({ record }) => record.source === snapshot.path) ?? runs[0]
      const { options, progress, signal } = request
      return verifyRun(client, snapshot, reader, {
        prepared,
        run,
        home: target.schema,
        options,
        progress,
        signal,
      })
    }),
  )
}

/** As `verify`, with what is open already. */
export async function verifyRun(
  client: PostgresClient,
  snapshot: Snapshot,
  reader: SourceReader,
  { prepared, run, home, options: given, progress, signal }: VerifyRequest,
): Promise<Verification> {
  const started = performance.now()
  const options = run ? recordedOptions(run) : given
  const adjustments = run ? await readAdjustments(client, stagedName(run.run, run.home, undefined)) : []
  const targets = await readTargetTables(client, [home, ...prepared.others])
  if (targets.length === 0) throw emptyTarget()
  const plan = planMove(
    readTables(snapshot.database),
    prepared.storage,
    targets,
    (schema) => schema ?? home,
    options,
  )
  refuseDrift(plan.findings)
  const partial = leaveOutCasts(plan)
  const hash = await loadHash()
  const asRecorded: MoveOptions = { ...options, onBadValue: 'quarantine' }
  // Both sides at once: the source in its thread, the target here.
  const reading = Promise.all(plan.tables.map((table) => reader.digest(table, asRecorded)))
  reading.catch(() => {}) // awaited below, after the target side
  const totalRows = plan.tables.reduce((sum, table) => sum + chunksOf(snapshot.database, table).span, 0)
  let rows = 0
  const received = new Map<string, Awaited<ReturnType<typeof digestOfTarget>>>()
  for (const table of plan.tables) {
    signal.throwIfAborted()
    const digest = await digestOfTarget({ hash }, client, table, (read) =>
      progress({ step: 'verify', rows: rows + read, bytes: 0, totalRows }),
    )
    rows += digest.rows
    received.set(table.source.name, digest)
  }
  const sent = await reading
  const tables: TableReport[] = []
  const findings: Finding[] = hasAdvanced(run, snapshot) ? [advanced()] : []
  for (const [at, table] of plan.tables.entries()) {
    const name = table.source.name
    const { digest, rowsRead } = sent[at] as ReadResult
    const own = adjustments.filter((adjustment) => adjustment.table === name)
    const got = received.get(name) ?? emptyDigest
    let digestMatch = sameDigest(expectedDigest(digest, own), got)
    const differences = digestMatch
      ? []
      : await findDifferences(
          snapshot.database,
          client,
          table,
          asRecorded,
          hash,
          await setAsideKeys(client, run, name),
        )
    findings.push(...differences)
    // What was recorded of rows set aside counts their cast columns too, which are left out here: the rows decide.
    if (own.length > 0 && partial.has(table)) digestMatch = differences.length === 0
    tables.push({
      table: name,
      sourceRows: rowsRead,
      targetRows: got.rows,
      quarantinedRows: rowsRead - digest.rows + setsAside(own),
      digestMatch,
    })
  }
  findings.push(...(await structureFindings(client, plan, run)))
  return { tables, findings, notes: [...plan.notes, ...structureNotes(run)], ms: performance.now() - started }
}

/** What the server cast from text with its own rules was compared as text before that; here it is left out, and said. */
function leaveOutCasts(plan: Plan): Set<PlannedTable> {
  const partial = new Set<PlannedTable>()
  for (const table of plan.tables) {
    table.columns = table.columns.filter(({ source, target, castTo }) => {
      if (castTo === undefined && encoderFor({ target, looksLikeSeconds: () => false })) return true
      partial.add(table)
      plan.notes.push(
        `${table.source.name}.${source} is not compared: the server cast it to ${target.sqlType}.`,
      )
      return false
    })
  }
  return partial
}

function recordedOptions({ record }: Staging): MoveOptions {
  return {
    rules: new Set(record.rules),
    onBadValue: record.onBadValue,
    skipTables: new Set(record.skipTables),
    skipColumns: new Set(record.skipColumns),
    skipObjects: new Set(record.skipObjects),
    casts: new Map(record.casts),
  }
}

/** Keys of a table's rows that the run set aside: those are missing as they should be. */
async function setAsideKeys(
  client: PostgresClient,
  run: Staging | undefined,
  table: string,
): Promise<Set<string>> {
  if (!run) return new Set()
  const quarantine = qualified({ schema: run.home, name: '_outgrow_quarantine' })
  const known = await client.query<{ id: string | null }>('SELECT to_regclass($1) AS id', [quarantine])
  if (known.rows[0]?.id == null) return new Set()
  const { rows } = await client.query<{ key: object }>(
    `SELECT key FROM ${quarantine} WHERE table_name = $1`,
    [table],
  )
  return new Set(rows.map(({ key }) => JSON.stringify(key)))
}

function hasAdvanced(run: Staging | undefined, { path, fingerprint }: Snapshot): boolean {
  return run !== undefined && run.record.source === path && run.record.fingerprint !== fingerprint
}

function advanced(): Finding {
  return findingOf({
    code: 'OUTGROW_SOURCE_ADVANCED',
    table: null,
    reason: 'The source was written to after it was moved: rows that differ may have come later',
    fixes: [],
  })
}

function emptyTarget(): Failure {
  return new Failure({
    code: 'OUTGROW_TARGET_EMPTY',
    message: 'The target holds no tables.',
    fix: 'Run outgrow migrate first, or check --to.',
  })
}
