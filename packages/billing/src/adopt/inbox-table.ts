import { Failure } from '@outgrow/kit'
import { fragmentTables } from '../prisma/fragment.ts'
import { describeTable, isUnique } from './catalog.ts'
import type { AdoptConnection } from './connection.ts'
import { tableSql, type TableName } from './table-name.ts'

const columns = [
  'stripe_event_id',
  'status',
  'outcome',
  'lease_until',
  'next_attempt_at',
  'payload',
  'received_at',
]

/** Where an inbox of this name is, or would be. */
export function inboxAt({ schema }: AdoptConnection, name: string): TableName {
  return { schema, name }
}

/** The same as SQL takes it. */
export function inboxSql(connection: AdoptConnection, name: string): string {
  return tableSql(inboxAt(connection, name))
}

/**
 * Without the schema that the URL names, the next of the search path would take its place.
 * @throws Failure OUTGROW_ADOPT_DATABASE
 */
export async function refuseWithoutSchema({ schema, query }: AdoptConnection): Promise<void> {
  if (schema === undefined) return
  const [row] = await query('SELECT current_schema() AS current')
  if (row?.current === schema) return
  throw new Failure({
    code: 'OUTGROW_ADOPT_DATABASE',
    message: `The database has no schema ${schema} that this user may use.`,
    why: 'The inbox is kept there, beside the tables of the application.',
    fix: 'Correct ?schema= in the URL, create the schema, or grant the user USAGE on it.',
  })
}

/** Whether a table is an inbox, with its unique key. */
export async function isInbox(connection: AdoptConnection, name: string): Promise<boolean> {
  const at = inboxAt(connection, name)
  const table = await describeTable(connection, at)
  const has = (column: string) => table?.columns.some((one) => one.name === column)
  return columns.every(has) && isUnique(connection, at, 'stripe_event_id')
}

/** The inbox's name in a database: as it is called without a schema of Prisma, or with the prefix. */
export function inboxTables(prefix: string): [string, string] {
  const snake = prefix.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toLowerCase()
  return [fragmentTables.WebhookEvent, `${snake}_${fragmentTables.WebhookEvent}`]
}

/** The inbox that a database has; undefined where it has none. */
export async function findInbox(connection: AdoptConnection, prefix: string): Promise<string | undefined> {
  for (const name of inboxTables(prefix)) if (await isInbox(connection, name)) return name
  return undefined
}
