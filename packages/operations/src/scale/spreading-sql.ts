import { quoteIdentifier, quoteLiteral } from '@outgrow/databases'
import type { Placement } from './placement.ts'

/** The statements that spread the tables, to be run when they exist and before foreign keys do. */
export function spreadingSql(placement: Placement): string[] {
  const models = [...placement.schema.models.values()]
  const named = (place: string) =>
    models.filter((model) => placement.placeOf(model) === place).map(({ table }) => table)
  const [first, ...rest] = named('tenant')
  const regclass = (table: string) => quoteLiteral(quoteIdentifier(table))
  const spread = (table: string, colocation: string) =>
    `SELECT create_distributed_table(${regclass(table)}, ${quoteLiteral(placement.column)}${colocation});`
  return [
    ...named('reference').map((table) => `SELECT create_reference_table(${regclass(table)});`),
    ...(first === undefined ? [] : [spread(first, '')]),
    ...rest.map((table) => spread(table, `, colocate_with => ${regclass(first ?? '')}`)),
  ]
}
