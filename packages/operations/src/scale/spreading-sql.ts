import { quoteIdentifier, quoteLiteral } from '@outgrow/databases'
import type { Placement } from './placement.ts'
import { tableOfLink, type ScaleModel } from './scale-schema.ts'

/** The statements that spread the tables, to be run when they exist and before foreign keys do. */
export function spreadingSql(placement: Placement): string[] {
  const models = [...placement.schema.models.values()]
  const named = (place: string) =>
    models.filter((model) => placement.placeOf(model) === place).map((model) => qualified(model, model.table))
  const [first, ...rest] = named('tenant')
  const regclass = quoteLiteral
  const links = placement.schema.links
    .filter(({ ends }) => ends.every(({ model }) => placement.placeOf(model) !== 'tenant'))
    .map((link) => qualified(link.ends[0].model, tableOfLink(link)))
  const spread = (table: string, colocation: string) =>
    `SELECT create_distributed_table(${regclass(table)}, ${quoteLiteral(placement.column)}${colocation});`
  return [
    ...[...named('reference'), ...links].map((table) => `SELECT create_reference_table(${regclass(table)});`),
    ...(first === undefined ? [] : [spread(first, '')]),
    ...rest.map((table) => spread(table, `, colocate_with => ${regclass(first ?? '')}`)),
  ]
}

function qualified({ schema }: ScaleModel, table: string): string {
  return schema === undefined
    ? quoteIdentifier(table)
    : `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`
}
