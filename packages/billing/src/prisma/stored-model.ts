import { storedModel } from '@outgrow/client'
import type { PrismaLike } from './client.ts'
import { quoted } from './sql/quoted.ts'

/** Where a model is stored, its names in quotes. */
export interface StoredModel<Field extends string = string> {
  readonly table: string
  readonly fields: ReadonlyMap<string, { type: string }>
  column(field: Field): string
}

/** Undefined when the client has no such model. */
export function quotedModel(client: PrismaLike, name: string): StoredModel | undefined {
  const found = storedModel(client, name)
  if (!found) return undefined
  const schema = found.schema === undefined ? '' : `${quoted(found.schema)}.`
  return {
    table: `${schema}${quoted(found.table)}`,
    fields: found.fields,
    column: (field) => quoted(found.fields.get(field)?.column ?? field),
  }
}
