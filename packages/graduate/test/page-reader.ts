import { inspect, isDeepStrictEqual } from 'node:util'
import { openSqliteReadonly, readSourceTables, type SqliteDatabase } from '@outgrow/databases'
import type { MoveOptions } from '../src/model/options.ts'
import type { PlannedColumn, PlannedTable } from '../src/model/plan.ts'
import type { RowRange, RowsRead } from '../src/model/row.ts'
import type { TargetColumn } from '../src/model/table.ts'
import { chunksOf } from '../src/source/sqlite/chunks.ts'
import { RowEncoder } from '../src/source/sqlite/encode-rows.ts'
import { PageEncoder } from '../src/source/sqlite/pages/encode-pages.ts'
import { FileDescriptor } from '../src/source/sqlite/pages/static-file.ts'
import { layoutOf } from '../src/source/sqlite/pages/table-layout.ts'
import type { TableEncoder } from '../src/source/sqlite/table-encoder.ts'

/** What a column becomes, by the type of the target. */
export function targetColumn(type: string, more: Partial<TargetColumn> = {}): TargetColumn {
  return {
    name: 'c',
    type,
    typeOid: 0,
    sqlType: type,
    modifier: -1,
    element: undefined,
    enumValues: undefined,
    notNull: false,
    generated: false,
    hasDefault: false,
    sequence: undefined,
    ...more,
  }
}

/** Reads a range by both readers. */
export interface BothRead {
  table: string
  range: NonNullable<RowRange>
  driver: Read
  pages: Read
}

/** What a reader gave: its bytes and what it says of them, or what it threw. */
export type Read = { bytes: Buffer; result: RowsRead } | { thrown: unknown }

export interface Comparison {
  reads: BothRead[]
  /** Why tables, or the whole file, were left to the driver. */
  left: string[]
}

/**
 * Reads every table of a file by both readers, in its chunks and in more ranges.
 * @param columnsOf how a table's columns are moved
 */
export function readBoth(
  path: string,
  columnsOf: (table: string, columns: string[]) => PlannedColumn[],
  options: MoveOptions,
  more: (chunk: NonNullable<RowRange>) => NonNullable<RowRange>[] = () => [],
): Comparison {
  using descriptor = new FileDescriptor(path)
  const [database, other] = [openSqliteReadonly(path), openSqliteReadonly(path)]
  try {
    database.exec('BEGIN')
    database.prepare('SELECT count(*) FROM sqlite_schema').get()
    const state = descriptor.look(path, database, other)
    if ('reason' in state) return { reads: [], left: [state.reason] }
    const comparison: Comparison = { reads: [], left: [] }
    for (const source of readSourceTables(database)) {
      if (source.owner !== undefined) continue
      const columns = columnsOf(
        source.name,
        source.columns.map(({ name }) => name),
      )
      const target = {
        schema: 'public',
        name: source.name,
        columns: columns.map((column) => column.target),
      }
      const table: PlannedTable = { source, target, columns, key: source.primaryKey }
      const layout = layoutOf(database, state.file, table)
      if (typeof layout === 'string') comparison.left.push(layout)
      else {
        for (const range of rangesOf(database, table, more)) {
          comparison.reads.push({
            table: source.name,
            range,
            driver: attempt(() => new RowEncoder(database, table, options), range),
            pages: attempt(() => new PageEncoder(database, table, options, layout), range),
          })
        }
      }
    }
    return comparison
  } finally {
    database.close()
    other.close()
  }
}

function rangesOf(
  database: SqliteDatabase,
  table: PlannedTable,
  more: (chunk: NonNullable<RowRange>) => NonNullable<RowRange>[],
): NonNullable<RowRange>[] {
  const chunks = chunksOf(database, table).chunks.flatMap(({ range }) => range ?? [])
  const [first, last] = [chunks[0], chunks.at(-1)]
  // A table without rows has no chunk; its root may be read all the same.
  if (!first || !last) return more({ low: 1n, high: 9n })
  // A table with a few rows far from each other has many.
  const few = chunks.filter((_, at) => at % Math.ceil(chunks.length / 8) === 0)
  return [...few, ...more({ low: first.low, high: last.high })]
}

function attempt(make: () => TableEncoder, range: NonNullable<RowRange>): Read {
  try {
    const encoder = make()
    const parts: Buffer[] = []
    for (const buffer of encoder.buffers(range)) {
      parts.push(Buffer.from(buffer))
      encoder.giveBack(buffer)
    }
    return { bytes: Buffer.concat(parts), result: encoder.result }
  } catch (thrown) {
    return { thrown }
  }
}

/** In what two readers differ, if in anything; damage that only the first finds is no difference. */
export function differenceOf({ pages, driver }: BothRead): string | undefined {
  if ('thrown' in pages) return isDamage(pages) ? undefined : `pages ended with ${inspect(pages.thrown)}`
  if ('thrown' in driver) return `only the driver ended, with ${inspect(driver.thrown)}`
  if (!isDeepStrictEqual(pages.result, driver.result))
    return `pages say ${inspect(pages.result)}, the driver says ${inspect(driver.result)}`
  return pages.bytes.equals(driver.bytes) ? undefined : 'their bytes differ'
}

/** Whether a reader ended with damage, as it may: anything else that is thrown is a bug. */
export function isDamage(read: Read): boolean {
  if (!('thrown' in read)) return false
  const { code } = read.thrown as { code?: string }
  // What SQLite says is explained where a flow ends. Of a damaged page it may not find by its rowid what it finds on its way.
  const codes = ['OUTGROW_SOURCE_DAMAGED', 'OUTGROW_READER_MISMATCH']
  return codes.includes(code ?? '') || code?.startsWith('SQLITE_CORRUPT') === true
}
