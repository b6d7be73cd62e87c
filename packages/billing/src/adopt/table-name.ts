import { Failure } from '@outgrow/kit'
import { quoted } from '../prisma/sql/quoted.ts'

export interface TableName {
  schema: string | undefined
  name: string
}

const part = /"((?:[^"]|"")+)"|([^".]+)/
const pattern = new RegExp(`^(?:(?:${part.source})\\.)?(?:${part.source})$`)

/**
 * Reads `events`, `stripe.events` or `"My schema"."Events"`. Letters are taken as they are written.
 * @throws Failure OUTGROW_ADOPT_TABLE
 */
export function parseTableName(text: string): TableName {
  const [, quotedSchema, schema, quotedName, name] = pattern.exec(text.trim()) ?? []
  const bare = (inQuotes: string | undefined, plain: string | undefined) =>
    inQuotes?.replaceAll('""', '"') ?? plain
  const table = bare(quotedName, name)
  if (table !== undefined) return { schema: bare(quotedSchema, schema), name: table }
  throw new Failure({
    code: 'OUTGROW_ADOPT_TABLE',
    message: `${text} is not the name of a table.`,
    fix: 'Write events, stripe.events, or "My schema"."Events".',
  })
}

/** As SQL takes it. */
export function tableSql({ schema, name }: TableName): string {
  return schema === undefined ? quoted(name) : `${quoted(schema)}.${quoted(name)}`
}
