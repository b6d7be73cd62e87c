import { parsePostgresUrl, readSourceTables, withPostgres, type PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { SchemaSource } from '@outgrow/schema'
import { emptyDigest, loadHash, sameDigest } from '../copy/digest.ts'
import { refuseDrift } from '../inspect.ts'
import { expectedDigest } from '../migrate.ts'
import type { MoveOptions } from '../options.ts'
import { planMove, type Plan } from '../plan.ts'
import { prepareSchema } from '../prepare.ts'
import type { Finding, TableReport } from '../report.ts'
import { readAdjustments, type Adjustment } from '../run/adjust.ts'
import { digestOfTarget } from '../run/load.ts'
import { setsAside } from '../run/quarantine-count.ts'
import { withSnapshot, type Snapshot } from '../source/snapshot.ts'
import { readTargetTables } from '../target/catalog.ts'
import { findRuns, stagedName, type Staging } from '../target/staging.ts'
import { encoderFor } from '../values/encoder-for.ts'
import { findDifferences } from './differences.ts'
import { sourceDigests } from './source-digests.ts'

export interface Verification {
  tables: TableReport[]
  findings: Finding[]
  notes: string[]
  ms: number
}

/**
 * Reads both databases afresh and compares every table by count and digest; where they differ, names rows and columns.
 * Rules, skips and rows set aside come from the recorded run, so that what is compared is what was meant to arrive.
 */
export async function verify(request: {
  from: string
  to: string
  schema: SchemaSource
  options: MoveOptions
  signal: AbortSignal
}): Promise<Verification> {
  const target = parsePostgresUrl(request.to)
  const prepared = await prepareSchema(request.schema, target.schema)
  const started = performance.now()
  return withSnapshot(request.from, (snapshot) =>
    withPostgres(target, async (client) => {
      const run = (await findRuns(client)).find(({ status }) => status === 'published')?.staging
      const options = run ? recordedOptions(run) : request.options
      const adjustments = run ? await readAdjustments(client, stagedName(run.run, run.home, undefined)) : []
      const home = run?.home ?? target.schema
      const targets = await readTargetTables(client, [home, ...prepared.others])
      if (targets.length === 0) throw emptyTarget()
      const plan = planMove(
        readSourceTables(snapshot.database),
        prepared.storage,
        targets,
        (schema) => schema ?? home,
        options,
      )
      refuseDrift(plan.findings)
      leaveOutCasts(plan)
      const hash = await loadHash()
      const reading = sourceDigests(
        snapshot.path,
        plan.tables,
        { ...options, onBadValue: 'quarantine' },
        request.signal,
      )
      reading.catch(() => {}) // awaited below, after the target side
      const received = new Map<string, Awaited<ReturnType<typeof digestOfTarget>>>()
      for (const table of plan.tables) {
        request.signal.throwIfAborted()
        received.set(table.source.name, await digestOfTarget({ hash }, client, table))
      }
      const sent = await reading
      const tables: TableReport[] = []
      const findings: Finding[] = hasAdvanced(run, snapshot) ? [advanced()] : []
      for (const table of plan.tables) {
        const name = table.source.name
        const { digest, rowsRead } = sent.get(name) ?? { digest: emptyDigest, rowsRead: 0 }
        const own = adjustments.filter((adjustment) => adjustment.table === name)
        const got = received.get(name) ?? emptyDigest
        const digestMatch = sameDigest(expectedDigest(digest, own), got)
        tables.push({
          table: name,
          sourceRows: rowsRead,
          targetRows: got.rows,
          quarantinedRows: rowsRead - digest.rows + setsAside(own),
          digestMatch,
        })
        if (!digestMatch) {
          const differences = await findDifferences(
            snapshot.database,
            client,
            table,
            { ...options, onBadValue: 'quarantine' },
            hash,
          )
          findings.push(...(await withoutRecorded(client, run, differences, own)))
        }
      }
      return { tables, findings, notes: plan.notes, ms: performance.now() - started }
    }),
  )
}

/** What the server cast from text with its own rules was compared as text before that; here it is left out, and said. */
function leaveOutCasts(plan: Plan): void {
  for (const table of plan.tables) {
    table.columns = table.columns.filter(({ source, target, castTo }) => {
      if (castTo === undefined && encoderFor({ target, looksLikeSeconds: () => false })) return true
      plan.notes.push(
        `${table.source.name}.${source} is not compared: the server cast it to ${target.sqlType}.`,
      )
      return false
    })
  }
}

function recordedOptions({ record }: Staging): MoveOptions {
  return {
    rules: new Set(record.rules),
    onBadValue: record.onBadValue,
    skipTables: new Set(record.skipTables),
    skipColumns: new Set(record.skipColumns),
    casts: new Map(record.casts),
  }
}

/** Rows that the run set aside are missing as they should be. */
async function withoutRecorded(
  client: PostgresClient,
  run: Staging | undefined,
  differences: Finding[],
  adjustments: Adjustment[],
): Promise<Finding[]> {
  if (!run || adjustments.length === 0) return differences
  const found = await client
    .query<{ key: Record<string, string | number | null> }>(
      `SELECT key FROM "${run.home.replaceAll('"', '""')}"._outgrow_quarantine`,
    )
    .catch(() => ({ rows: [] }))
  const known = new Set(found.rows.map(({ key }) => JSON.stringify(key)))
  return differences
    .map((finding) => ({ ...finding, keys: finding.keys.filter((key) => !known.has(JSON.stringify(key))) }))
    .filter(({ code, keys }) => code !== 'OUTGROW_ROW_MISSING' || keys.length > 0)
}

function hasAdvanced(run: Staging | undefined, { path, fingerprint }: Snapshot): boolean {
  return run !== undefined && run.record.source === path && run.record.fingerprint !== fingerprint
}

function advanced(): Finding {
  return {
    code: 'OUTGROW_SOURCE_ADVANCED',
    table: null,
    column: null,
    count: 1,
    keys: [],
    storage: null,
    excerpt: null,
    reason: 'The source was written to after it was moved: rows that differ may have come later',
    fixes: [],
  }
}

function emptyTarget(): Failure {
  return new Failure({
    code: 'OUTGROW_TARGET_EMPTY',
    message: 'The target holds no tables.',
    fix: 'Run outgrow migrate first, or check --to.',
  })
}
