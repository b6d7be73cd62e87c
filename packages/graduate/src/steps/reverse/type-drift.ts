import { findingOf, type Finding } from '../../model/finding.ts'
import type { PlannedTable, StoragePair } from '../../model/plan.ts'
import { isColumnOf } from '../../types/value-types.ts'

/** Columns whose type in Postgres is not one that the schema's field may have: the client could not read their values. */
export function typeDrift(tables: readonly PlannedTable[], { sqlite }: StoragePair): Finding[] {
  return tables.flatMap(({ source, columns }) => {
    const model = sqlite.find(({ table }) => table.toLowerCase() === source.name.toLowerCase())
    return columns.flatMap(({ source: name, target }) => {
      const field = model?.fields.find(({ column }) => column.toLowerCase() === name.toLowerCase())
      if (field === undefined || isColumnOf(field.type, target)) return []
      return [
        findingOf({
          code: 'OUTGROW_SCHEMA_DRIFT',
          table: source.name,
          column: name,
          reason: `This column is ${target.sqlType} in Postgres, but ${field.type} in the schema.`,
          fixes: [`--skip-column ${source.name}.${name}`],
        }),
      ]
    })
  })
}
