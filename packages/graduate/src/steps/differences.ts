import { decodeField, isSentAsList } from '../types/value-types.ts'
import { reportedValue } from '../model/excerpt.ts'
import type { Finding, ReportedKey } from '../model/finding.ts'
import type { MoveOptions } from '../model/options.ts'
import { fieldsOf, keyBytes, KeySums } from '../model/key-sums.ts'
import type { PlannedColumn, PlannedTable } from '../model/plan.ts'
import type { Snapshot } from '../source/source.ts'
import type { PostgresTarget } from '../target/postgres/postgres-target.ts'

const buckets = 4096
/** Rows of differing buckets that are kept to be compared; beyond it the counts are a lower bound. */
const maxRows = 50_000

/**
 * Names the rows and columns in which a table differs. Two passes over both sides: the first finds the buckets of keys
 * whose sums differ, the second compares the rows in them, and only those come from the target; so memory does not grow
 * with the table.
 */
export async function findDifferences(
  snapshot: Snapshot,
  target: PostgresTarget,
  table: PlannedTable,
  options: MoveOptions,
  /** Keys of rows that were quarantined, as JSON: they are not missing. */
  quarantined: ReadonlySet<string>,
): Promise<Finding[]> {
  const key = keyPositions(table)
  const received = await target.sumsByKey(table, key, buckets)
  const sent = new KeySums(key, table.columns.map(isSentAsList), buckets)
  snapshot.eachRow(table, options, (row) => sent.add(row))
  const differing = received.flatMap((sum, bucket) => (sum === sent.sums[bucket] ? [] : [bucket]))
  const isDiffering = new Set(differing)
  const missing = new Map<string, { row: Buffer; key: ReportedKey }[]>()
  const extra = new Map<string, Buffer[]>()
  snapshot.eachRow(table, options, (row, nameOf) => {
    if (missing.size >= maxRows || !isDiffering.has(sent.bucketOf(row))) return
    push(missing, keyBytes(row, key).toString('latin1'), { row: Buffer.from(row), key: nameOf() })
  })
  await target.eachRow(table, { key, buckets, of: differing }, (row) => {
    if (extra.size >= maxRows) return
    push(extra, keyBytes(row, key).toString('latin1'), Buffer.from(row))
  })
  return compare(table, missing, extra, key, quarantined)
}

/** Positions of the key's columns in a row; all columns where there is no key. */
function keyPositions(table: PlannedTable): number[] {
  const positions = table.key.map((name) => table.columns.findIndex(({ source }) => source === name))
  return positions.length > 0 && positions.every((at) => at >= 0)
    ? positions
    : table.columns.map((_, at) => at)
}

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}

function compare(
  table: PlannedTable,
  source: Map<string, { row: Buffer; key: ReportedKey }[]>,
  target: Map<string, Buffer[]>,
  key: number[],
  quarantined: ReadonlySet<string>,
): Finding[] {
  const findings = new Map<string, Finding>()
  const add = (code: Finding['code'], column: string | null, reason: string, name: ReportedKey) => {
    const id = `${code} ${column}`
    const finding = findings.get(id) ?? {
      code,
      table: table.source.name,
      column,
      count: 0,
      keys: [],
      storage: null,
      excerpt: null,
      reason,
      fixes: [],
    }
    finding.count++
    if (finding.keys.length < 10) finding.keys.push(name)
    findings.set(id, finding)
  }
  for (const [id, rows] of source) {
    const others = target.get(id) ?? []
    for (const { row, key: name } of rows) {
      const equal = others.findIndex((other) => other.equals(row))
      if (equal >= 0) {
        others.splice(equal, 1)
        continue
      }
      const other = others.shift()
      if (!other) {
        if (quarantined.has(JSON.stringify(name))) continue
        add('OUTGROW_ROW_MISSING', null, 'is in the source but not in the target', name)
        continue
      }
      const [left, right] = [fieldsOf(row), fieldsOf(other)]
      for (const [at, column] of table.columns.entries()) {
        if (!left[at]?.equals(right[at] as Buffer)) {
          add('OUTGROW_ROW_DIFFERS', column.source, 'has a different value in the target', name)
        }
      }
    }
  }
  for (const rows of target.values()) {
    for (const row of rows) {
      add('OUTGROW_ROW_EXTRA', null, 'is in the target but not in the source', targetKey(table, row, key))
    }
  }
  return [...findings.values()]
}

/** A target row's key from its binary form. */
function targetKey(table: PlannedTable, row: Buffer, positions: number[]): ReportedKey {
  const fields = fieldsOf(row)
  return Object.fromEntries(
    positions.map((at) => {
      const column = table.columns[at] as PlannedColumn
      return [column.source, shownField((fields[at] as Buffer).subarray(4), column)]
    }),
  )
}

function shownField(bytes: Buffer, { target }: PlannedColumn): string | number | null {
  const value = decodeField(target, bytes)
  if (typeof value === 'bigint') return String(value)
  return reportedValue(value ?? bytes)
}
