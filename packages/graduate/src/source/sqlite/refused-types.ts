import type { SourceTable, SqliteDatabase } from '@outgrow/databases'
import type { TypedColumn } from '@outgrow/schema'
import { strictOptions } from '../../model/options.ts'
import type { PlannedTable } from '../../model/plan.ts'
import type { TargetColumn } from '../../model/table.ts'
import { BufferPool } from '../../types/buffer-pool.ts'
import { columnOf } from '../../types/value-types.ts'
import { chunksOf } from './chunks.ts'
import { RowEncoder } from './encode-rows.ts'

const pool = new BufferPool()

/** Encodes every value of a table as the types say, and returns why a column's type does not hold one of them. */
export function refusedTypes(
  database: SqliteDatabase,
  source: SourceTable,
  columns: TypedColumn[],
): Map<string, string> {
  const table: PlannedTable = {
    source,
    target: { schema: '', name: source.name, columns: [] },
    columns: columns.map((one) => ({
      source: one.column.name,
      target: targetOf(one),
      castTo: undefined,
    })),
    key: [],
  }
  const encoder = new RowEncoder(database, table, strictOptions, pool)
  for (const { range } of chunksOf(database, table).chunks) {
    for (const buffer of encoder.buffers(range)) encoder.giveBack(buffer)
  }
  return new Map(encoder.findings.findings.map(({ column, reason }) => [column ?? '', reason]))
}

/** The Postgres column that Prisma makes of a field. */
function targetOf({ column, type: { type, native } }: TypedColumn): TargetColumn {
  const [name, modifier] = columnOf(type, native)
  return {
    name: column.name,
    type: name,
    typeOid: 0,
    sqlType: name,
    modifier,
    element: undefined,
    enumValues: undefined,
    notNull: false,
    generated: false,
    hasDefault: false,
    sequence: undefined,
  }
}
