import type { SourceTable, SqliteDatabase } from '@outgrow/databases'
import type { TypedColumn } from '@outgrow/schema'
import { TableEncoder } from '../copy/table-encoder.ts'
import type { PlannedTable } from '../plan.ts'
import type { TargetColumn } from '../target/catalog.ts'
import { chunksOf } from './chunks.ts'

const plainOptions = {
  rules: new Set<string>(),
  onBadValue: 'stop',
  skipTables: new Set<string>(),
  skipColumns: new Set<string>(),
  skipObjects: new Set<string>(),
  casts: new Map<string, string>(),
} as const

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
  const encoder = new TableEncoder(database, table, plainOptions, () => 0n)
  for (const range of chunksOf(database, table).ranges) {
    for (const buffer of encoder.buffers(range)) encoder.giveBack(buffer)
  }
  return new Map(encoder.findings.findings.map(({ column, reason }) => [column ?? '', reason]))
}

/** The Postgres column that Prisma makes of a field. */
function targetOf({ column, type: { type, native } }: TypedColumn): TargetColumn {
  const [name, modifier] = nativeTypes(type, native)
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

function nativeTypes(type: string, native: string | null): [name: string, modifier: number] {
  const [precision = 65, scale = 30] = [...(native ?? '').matchAll(/\d+/g)].map(Number)
  switch (type) {
    case 'Int':
      return ['int4', -1]
    case 'BigInt':
      return ['int8', -1]
    case 'Float':
      return ['float8', -1]
    case 'Boolean':
      return ['bool', -1]
    case 'Bytes':
      return ['bytea', -1]
    case 'Json':
      return [native === '@db.Json' ? 'json' : 'jsonb', -1]
    case 'DateTime':
      return native === '@db.Date' ? ['date', -1] : ['timestamptz', native === null ? 3 : precision]
    case 'Decimal':
      return ['numeric', ((precision << 16) | scale) + 4]
    default:
      return ['text', -1]
  }
}
