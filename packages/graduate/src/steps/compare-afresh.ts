import { quarantinedBy, type Correction } from '../model/correction.ts'
import { applyToDigest, sameDigest, type Digest } from '../model/digest.ts'
import { findingOf, type Finding } from '../model/finding.ts'
import type { MoveOptions } from '../model/options.ts'
import type { Plan, PlannedColumn, PlannedTable } from '../model/plan.ts'
import type { Progress } from '../model/progress.ts'
import type { TableReport } from '../model/report.ts'
import type { RowsRead } from '../model/row.ts'
import type { Staging } from '../model/staging.ts'
import { Ledger } from '../ledger/ledger.ts'
import type { Snapshot } from '../source/source.ts'
import type { PostgresTarget } from '../target/postgres/postgres-target.ts'
import { hasBinaryForm } from '../types/value-types.ts'
import { structureFindings, structureNotes } from './compare-structure.ts'
import { findDifferences } from './differences.ts'
import { gathered } from './gathered.ts'
import { optionsOf, plan, targetOf } from './plan.ts'
import type { Run, Step } from './step.ts'
import { takeSnapshot } from './take-snapshot.ts'

/** The tables as they are compared. */
interface Compared {
  tables: PlannedTable[]
  /** Those that are compared without some of their columns. */
  partial: Set<PlannedTable>
  notes: string[]
}

export interface Comparison {
  tables: TableReport[]
  notes: string[]
}

/**
 * Reads both databases afresh and compares every table by count and digest, and the target's structure with what the
 * recorded run promised; where they differ, names rows, columns and objects.
 */
export const compareAfresh: Step<Comparison> = {
  name: 'verify',
  title: 'Compare both databases',
  run: async (run) => {
    const { target, recorded } = targetOf(run)
    const planned = withoutCasts(run.of(plan))
    const { tables, findings } = await compareTables(run, planned)
    if (hasAdvanced(recorded, run.of(takeSnapshot))) findings.unshift(advanced())
    findings.push(...(await structureFindings(target, run.of(plan), recorded)))
    return {
      value: { tables, notes: [...run.of(plan).notes, ...planned.notes, ...structureNotes(recorded)] },
      findings,
    }
  },
}

async function compareTables(
  run: Run,
  planned: Compared,
): Promise<{ tables: TableReport[]; findings: Finding[] }> {
  const { target, recorded } = targetOf(run)
  const options: MoveOptions = { ...optionsOf(run, recorded), onBadValue: 'quarantine' }
  const ledger = recorded && new Ledger(target.client, recorded)
  const corrections = (await ledger?.corrections()) ?? []
  const tables: TableReport[] = []
  const findings: Finding[] = []
  const { progress, signal } = run.request
  const sides = { snapshot: run.of(takeSnapshot), target, progress, signal }
  for (const { table, read, received } of await bothDigests(sides, planned.tables, options)) {
    const own = corrections.filter((correction) => correction.table === table.source.name)
    const isEqual = sameDigest(applyToDigest(read.digest, own), received)
    const quarantined =
      !isEqual && recorded ? await ledger?.quarantinedKeys(recorded, table.source.name) : undefined
    const differences = isEqual
      ? []
      : await target.reading(() =>
          findDifferences(run.of(takeSnapshot), target, table, options, quarantined ?? new Set()),
        )
    findings.push(...differences)
    // The record of a correction counts columns that were cast, which are left out here: then the rows decide.
    const isPartial = own.length > 0 && planned.partial.has(table)
    tables.push(reportOf(table, read, received, own, isEqual || (isPartial && differences.length === 0)))
  }
  return { tables, findings }
}

/** What is compared, and who is told of it. */
export interface Sides {
  snapshot: Snapshot
  target: PostgresTarget
  progress: Progress
  signal: AbortSignal
}

/** Both sides at once: the source in its threads, the target on its server. */
export async function bothDigests(
  { snapshot, target, progress, signal }: Sides,
  tables: PlannedTable[],
  options: MoveOptions,
): Promise<{ table: PlannedTable; read: RowsRead; received: Digest }[]> {
  const totalRows = tables.reduce((sum, table) => sum + snapshot.chunks(table).span, 0)
  let sourceRows = 0
  let targetRows = 0
  // What both sides have read: each is half of the work.
  const tell = () => {
    const rows = Math.floor((sourceRows + targetRows) / 2)
    progress({ step: 'verify', rows, bytes: 0, totalRows })
  }
  const reading = Promise.all(
    tables.map((table) =>
      snapshot.digest(table, options, (rows) => {
        sourceRows += rows
        tell()
      }),
    ),
  )
  reading.catch(() => {}) // awaited below, after the target side
  const received = new Map<PlannedTable, Digest>()
  for (const group of gathered(tables.map((table) => ({ table, rows: snapshot.chunks(table).span })))) {
    signal.throwIfAborted()
    const own = group.map(({ table }) => table)
    const before = targetRows
    const onRows = (rows: number) => {
      targetRows = before + rows
      tell()
    }
    // One table at a time is held in one state: whoever wants to change another does not wait for this.
    const digests =
      own.length > 1
        ? await target.digests(own)
        : [await target.reading(() => target.digest(own[0] as PlannedTable, { onRows }))]
    onRows(digests.reduce((sum, { rows }) => sum + rows, 0))
    for (const [at, table] of own.entries()) received.set(table, digests[at] as Digest)
  }
  const read = await reading
  return tables.map((table, at) => ({
    table,
    read: read[at] as RowsRead,
    received: received.get(table) as Digest,
  }))
}

function reportOf(
  table: PlannedTable,
  { digest, rowsRead }: RowsRead,
  received: Digest,
  corrections: Correction[],
  digestMatch: boolean,
): TableReport {
  return {
    table: table.source.name,
    sourceRows: rowsRead,
    targetRows: received.rows,
    quarantinedRows: rowsRead - digest.rows + quarantinedBy(corrections),
    digestMatch,
  }
}

/** What the server cast from text by its own rules was compared as text before that; here only NULL is, which is noted. */
export function withoutCasts({ tables }: Pick<Plan, 'tables'>): Compared {
  const partial = new Set<PlannedTable>()
  const notes: string[] = []
  const compared = tables.map((table) => {
    const isCast = ({ target, castTo }: PlannedColumn) => castTo !== undefined || !hasBinaryForm(target)
    const cast = table.columns.filter(isCast)
    if (cast.length === 0) return table
    for (const { source, target } of cast)
      notes.push(
        `${table.source.name}.${source} is compared only by whether it is NULL: the server cast it to ${target.sqlType}.`,
      )
    const part = {
      ...table,
      columns: table.columns.map((column) => ({ ...column, presenceOnly: isCast(column) })),
    }
    partial.add(part)
    return part
  })
  return { tables: compared, partial, notes }
}

function hasAdvanced(run: Staging | undefined, { path, position }: Snapshot): boolean {
  return run !== undefined && run.record.source === path && run.record.fingerprint !== position
}

function advanced(): Finding {
  return findingOf({
    code: 'OUTGROW_SOURCE_ADVANCED',
    table: null,
    reason: 'The source has changed since the move: rows that differ may be newer',
    fixes: [],
  })
}
