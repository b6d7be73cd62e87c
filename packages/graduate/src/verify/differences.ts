import type { PostgresClient, SqliteDatabase } from '@outgrow/databases'
import { receiveRows } from '../copy/copy-streams.ts'
import { TableEncoder } from '../copy/table-encoder.ts'
import type { MoveOptions } from '../options.ts'
import type { PlannedTable } from '../plan.ts'
import type { Finding, ReportedKey } from '../report.ts'
import { copyColumns } from '../run/load.ts'
import { chunksOf } from '../source/chunks.ts'
import { qualified } from '../target/structure.ts'

const buckets = 4096
/** Rows of differing buckets that are kept to be compared; beyond it the counts are a lower bound. */
const mostRows = 50_000

/**
 * Names the rows and columns in which a table differs. Two passes over both sides: the first finds the buckets of keys
 * whose sums differ, the second compares only the rows in them; so memory does not grow with the table.
 */
export async function findDifferences(
  database: SqliteDatabase,
  client: PostgresClient,
  table: PlannedTable,
  options: MoveOptions,
  hash: (bytes: Uint8Array) => bigint,
  /** Keys of rows that were set aside, as JSON: they are not missing. */
  setAside: ReadonlySet<string>,
): Promise<Finding[]> {
  const key = keyPositions(table)
  const bucketOf = (row: Buffer) => Number(hash(keyBytes(row, key)) & BigInt(buckets - 1))
  const sums = new BigInt64Array(buckets)
  await readBoth(database, client, table, options, hash, {
    source: (row) => {
      sums[bucketOf(row)] = (sums[bucketOf(row)] as bigint) + BigInt.asIntN(64, hash(row))
    },
    target: (row) => {
      sums[bucketOf(row)] = (sums[bucketOf(row)] as bigint) - BigInt.asIntN(64, hash(row))
    },
  })
  const missing = new Map<string, { row: Buffer; key: ReportedKey }[]>()
  const extra = new Map<string, Buffer[]>()
  await readBoth(database, client, table, options, hash, {
    source: (row, context) => {
      if (sums[bucketOf(row)] === 0n || missing.size >= mostRows) return
      push(missing, keyBytes(row, key).toString('latin1'), { row: Buffer.from(row), key: context.key() })
    },
    target: (row) => {
      if (sums[bucketOf(row)] === 0n || extra.size >= mostRows) return
      push(extra, keyBytes(row, key).toString('latin1'), Buffer.from(row))
    },
  })
  return compare(table, missing, extra, key, setAside)
}

interface Watchers {
  source(row: Buffer, context: { key(): ReportedKey }): void
  target(row: Buffer): void
}

async function readBoth(
  database: SqliteDatabase,
  client: PostgresClient,
  table: PlannedTable,
  options: MoveOptions,
  hash: (bytes: Uint8Array) => bigint,
  watchers: Watchers,
): Promise<void> {
  const encoder = new TableEncoder(database, table, options, hash)
  encoder.watch = watchers.source
  for (const range of chunksOf(database, table).ranges) {
    for (const buffer of encoder.buffers(range)) encoder.giveBack(buffer)
  }
  await receiveRows(
    client,
    `COPY ${qualified(table.target)} (${copyColumns(table)}) TO STDOUT (FORMAT binary)`,
    watchers.target,
  )
}

/** Positions of the key's columns in a row; all columns where there is no key. */
function keyPositions(table: PlannedTable): number[] {
  const positions = table.key.map((name) => table.columns.findIndex(({ source }) => source === name))
  return positions.length > 0 && positions.every((at) => at >= 0)
    ? positions
    : table.columns.map((_, at) => at)
}

/** Each field's bytes, its length in front. */
function fieldsOf(row: Buffer): Buffer[] {
  const fields: Buffer[] = []
  for (let at = 2; at < row.length;) {
    const length = row.readInt32BE(at)
    const end = at + 4 + Math.max(length, 0)
    fields.push(row.subarray(at, end))
    at = end
  }
  return fields
}

function keyBytes(row: Buffer, positions: number[]): Buffer {
  const fields = fieldsOf(row)
  return positions.length === 1
    ? (fields[positions[0] as number] as Buffer)
    : Buffer.concat(positions.map((at) => fields[at] as Buffer))
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
  setAside: ReadonlySet<string>,
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
        if (setAside.has(JSON.stringify(name))) continue
        add('OUTGROW_ROW_MISSING', null, 'is in the source and not in the target', name)
        continue
      }
      const [left, right] = [fieldsOf(row), fieldsOf(other)]
      for (const [at, column] of table.columns.entries()) {
        if (!left[at]?.equals(right[at] as Buffer)) {
          add('OUTGROW_ROW_DIFFERS', column.source, 'holds another value in the target', name)
        }
      }
    }
  }
  for (const rows of target.values()) {
    for (const row of rows) {
      add('OUTGROW_ROW_EXTRA', null, 'is in the target and not in the source', targetKey(table, row, key))
    }
  }
  return [...findings.values()]
}

/** A target row's key from its binary form. */
function targetKey(table: PlannedTable, row: Buffer, positions: number[]): ReportedKey {
  const fields = fieldsOf(row)
  return Object.fromEntries(
    positions.map((at) => {
      const column = table.columns[at] as PlannedTable['columns'][number]
      return [column.source, shownField((fields[at] as Buffer).subarray(4), column.target.type)]
    }),
  )
}

function shownField(bytes: Buffer, type: string): string | number {
  if (type === 'int4') return bytes.readInt32BE()
  if (type === 'int2') return bytes.readInt16BE()
  if (type === 'int8') return String(bytes.readBigInt64BE())
  return /^(text|varchar|bpchar|citext|name)$/.test(type) ? bytes.toString('utf8') : bytes.toString('hex')
}
