import { decodeField, isSentAsList } from '../types/value-types.ts'
import { reportedValue } from '../model/excerpt.ts'
import { sameDigest, type Digest } from '../model/digest.ts'
import { findingOf, type Finding, type ReportedKey } from '../model/finding.ts'
import type { MoveOptions } from '../model/options.ts'
import { fieldsOf, keyBytes, KeyDigests } from '../model/key-digests.ts'
import type { PlannedColumn, PlannedTable } from '../model/plan.ts'
import type { Snapshot } from '../source/source.ts'
import type { Target } from '../target/target.ts'

const buckets = 4096
/** Rows of differing buckets that are kept at a time to be compared. */
const maxRows = 50_000
/** How often the source is read for them; what differs beyond that is said to be more. */
const maxPasses = 8

/**
 * Names the rows and columns in which a table differs. A first pass over both sides finds the buckets of keys whose
 * digests differ; then the rows of as many such buckets as fit into memory are compared at a time, and only those come
 * from the target.
 */
export async function findDifferences(
  snapshot: Snapshot,
  target: Pick<Target, 'digestsByKey' | 'eachRow'>,
  table: PlannedTable,
  options: MoveOptions,
  /** Keys of rows that were quarantined, as JSON: they are not missing. */
  quarantined: ReadonlySet<string>,
): Promise<Finding[]> {
  const key = keyPositions(table)
  const received = await target.digestsByKey(table, { key, buckets })
  const sent = new KeyDigests(key, table.columns.map(isSentAsList), buckets)
  await snapshot.eachRow(table, options, (row) => sent.add(row))
  const groups = together(sent.digests, received)
  const found = new Differences(table, key, quarantined)
  for (const group of groups.slice(0, maxPasses)) {
    const there = new RowsByKey<Buffer>(key)
    await target.eachRow(table, { key, buckets, of: group }, (row) => there.add(row, Buffer.from(row)))
    const unequal = new RowsByKey<SentRow>(key)
    const isIn = new Set(group)
    await snapshot.eachRow(table, options, (row, nameOf) => {
      if (!isIn.has(sent.bucketOf(row)) || takeEqual(there.of(row), row)) return
      unequal.add(row, { row: Buffer.from(row), key: nameOf() })
    })
    found.add(unequal, there)
  }
  return found.findings(groups.length > maxPasses)
}

/** Buckets that differ, as many together as have rows for one pass. */
function together(sent: readonly Digest[], received: readonly Digest[]): number[][] {
  const groups: number[][] = []
  let rows = maxRows
  for (const [bucket, digest] of sent.entries()) {
    const other = received[bucket] as Digest
    if (sameDigest(digest, other)) continue
    const size = Math.max(digest.rows, other.rows)
    if (rows + size > maxRows) {
      groups.push([])
      rows = 0
    }
    rows += size
    groups.at(-1)?.push(bucket)
  }
  return groups
}

interface SentRow {
  row: Buffer
  key: ReportedKey
}

/** Positions of the key's columns in a row; all columns where there is no key. */
function keyPositions(table: PlannedTable): number[] {
  const positions = table.key.map((name) =>
    table.columns.findIndex(({ source, presenceOnly }) => source === name && !presenceOnly),
  )
  return positions.length > 0 && positions.every((at) => at >= 0)
    ? positions
    : table.columns.map((_, at) => at)
}

/** Rows by the bytes of their keys, in which several may be equal. */
class RowsByKey<Row> {
  readonly #rows = new Map<string, Row[]>()
  readonly #key: readonly number[]

  /** @param key positions of its columns */
  constructor(key: readonly number[]) {
    this.#key = key
  }

  add(row: Buffer, kept: Row): void {
    const id = this.#idOf(row)
    const known = this.#rows.get(id)
    if (known) known.push(kept)
    else this.#rows.set(id, [kept])
  }

  /** Those that have the key of this row: theirs to take out. */
  of(row: Buffer): Row[] {
    return this.#rows.get(this.#idOf(row)) ?? []
  }

  all(): Row[] {
    return [...this.#rows.values()].flat()
  }

  #idOf(row: Buffer): string {
    return keyBytes(row, this.#key).toString('latin1')
  }
}

/** What rows of both sides, by their keys, differ in. */
class Differences {
  readonly #findings = new Map<string, Finding>()
  readonly #table: PlannedTable
  readonly #key: number[]
  readonly #quarantined: ReadonlySet<string>

  constructor(table: PlannedTable, key: number[], quarantined: ReadonlySet<string>) {
    this.#table = table
    this.#key = key
    this.#quarantined = quarantined
  }

  /** @param isPartial whether there are more differences than were looked at */
  findings(isPartial: boolean): Finding[] {
    const findings = [...this.#findings.values()]
    if (!isPartial) return findings
    return findings.map((finding) => ({
      ...finding,
      reason: `${finding.reason} (at least; too much differs to count it all)`,
    }))
  }

  /** Rows of one side that have no equal one on the other. */
  add(source: RowsByKey<SentRow>, target: RowsByKey<Buffer>): void {
    for (const { row, key } of source.all()) {
      const other = target.of(row).shift()
      if (other) this.#compareColumns(row, other, key)
      else if (!this.#quarantined.has(JSON.stringify(key)))
        this.#count('OUTGROW_ROW_MISSING', null, 'is in the source but not in the target', key)
    }
    for (const row of target.all()) {
      const key = targetKey(this.#table, row, this.#key)
      this.#count('OUTGROW_ROW_EXTRA', null, 'is in the target but not in the source', key)
    }
  }

  #compareColumns(row: Buffer, other: Buffer, key: ReportedKey): void {
    const [left, right] = [fieldsOf(row), fieldsOf(other)]
    for (const [at, { source }] of this.#table.columns.entries()) {
      if (!left[at]?.equals(right[at] as Buffer))
        this.#count('OUTGROW_ROW_DIFFERS', source, 'has a different value in the target', key)
    }
  }

  #count(code: Finding['code'], column: string | null, reason: string, key: ReportedKey): void {
    const id = `${code} ${column}`
    const finding = this.#findings.get(id) ?? {
      ...findingOf({ code, table: this.#table.source.name, column, reason, fixes: [] }),
      count: 0,
      keys: [],
    }
    finding.count++
    if (finding.keys.length < 10) finding.keys.push(key)
    this.#findings.set(id, finding)
  }
}

/** Takes a row out of others that is equal to this one. Returns whether there was one. */
function takeEqual(others: Buffer[], row: Buffer): boolean {
  const at = others.findIndex((other) => other.equals(row))
  if (at >= 0) others.splice(at, 1)
  return at >= 0
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
