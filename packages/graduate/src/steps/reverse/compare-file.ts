import { sameDigest, type Digest } from '../../model/digest.ts'
import { findingOf, type Finding } from '../../model/finding.ts'
import type { MoveOptions } from '../../model/options.ts'
import type { TableReport } from '../../model/report.ts'
import type { RowsRead } from '../../model/row.ts'
import { SelectedRows } from '../../target/postgres/selected-rows.ts'
import type { Target } from '../../target/target.ts'
import { bothDigests } from '../compare-afresh.ts'
import { findDifferences } from '../differences.ts'
import type { Step } from '../step.ts'
import { openPostgres } from './open-postgres.ts'
import { pairTables, type PairedTable } from './pair-tables.ts'
import type { ReverseRequest } from './reverse-request.ts'

/** A table as both sides have it. */
interface Compared {
  paired: PairedTable
  /** Who gives the rows of Postgres, where they are looked at one by one. */
  from: Pick<Target, 'digestsByKey' | 'eachRow'>
  read: RowsRead
  received: Digest
}

/**
 * Reads the file as a move would read it, and compares every table with the state of Postgres that it was copied from:
 * with what its server hashes, or, of columns that are read in another form than they are stored in, with what is read anew.
 */
export const compareFile: Step<TableReport[], ReverseRequest> = {
  name: 'compare',
  title: 'Compare both databases',
  run: async (run) => {
    const { source, options, progress, signal } = run.request
    const target = run.of(openPostgres)
    const { tables } = run.of(pairTables)
    // Every row that a move would refuse is one that differs.
    const whole: MoveOptions = { ...options, onBadValue: 'quarantine', rules: new Set() }
    await using snapshot = await source.open(signal)
    const stored = tables.filter(isStored)
    const planned = stored.map((paired) => paired.planned)
    const sides = { snapshot, target, progress, signal }
    const compared: Compared[] = (await bothDigests(sides, planned, whole)).map((one, at) => ({
      ...one,
      paired: stored[at] as PairedTable,
      from: target,
    }))
    for (const paired of tables.filter((one) => !isStored(one))) {
      signal.throwIfAborted()
      const from = new SelectedRows(target.client, paired.forms)
      const read = await snapshot.digest(paired.read, whole)
      compared.push({ paired, from, read, received: await from.digest(paired.read) })
    }
    const findings: Finding[] = []
    for (const { paired, from, read, received } of compared) {
      if (isEqual(read, received)) continue
      const found = await findDifferences(snapshot, from, paired.read, whole, new Set())
      findings.push(...(found.length > 0 ? found.map(inReverse) : [differs(paired)]))
    }
    return { value: compared.map(reportOf), findings }
  },
}

/** A difference as it is seen from Postgres, where the rows come from. */
function inReverse(finding: Finding): Finding {
  switch (finding.code) {
    case 'OUTGROW_ROW_MISSING':
      return { ...finding, code: 'OUTGROW_ROW_EXTRA', reason: 'is in the file but not in Postgres' }
    case 'OUTGROW_ROW_EXTRA':
      return { ...finding, code: 'OUTGROW_ROW_MISSING', reason: 'is in Postgres but not in the file' }
    default:
      return { ...finding, reason: 'has another value in the file than in Postgres' }
  }
}

function differs({ planned }: PairedTable): Finding {
  return findingOf({
    code: 'OUTGROW_ROW_DIFFERS',
    table: planned.source.name,
    reason: 'has another digest in Postgres, though no row differs by its key',
    fixes: [],
  })
}

/** Every column is read as the server stores it. */
function isStored({ forms }: PairedTable): boolean {
  return forms.every((form) => form.isStored)
}

function isEqual({ digest, rowsRead }: RowsRead, received: Digest): boolean {
  return sameDigest(digest, received) && rowsRead === received.rows
}

/** Rows come from Postgres here. */
function reportOf({ paired, read, received }: Compared): TableReport {
  return {
    table: paired.planned.source.name,
    sourceRows: received.rows,
    targetRows: read.rowsRead,
    quarantinedRows: 0,
    digestMatch: isEqual(read, received),
  }
}
