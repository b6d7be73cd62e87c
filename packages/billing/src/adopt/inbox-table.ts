import { fragmentTables } from '../prisma/fragment.ts'
import { describeTable, isUnique } from './catalog.ts'
import type { AdoptConnection } from './connection.ts'

const columns = [
  'stripe_event_id',
  'status',
  'outcome',
  'lease_until',
  'next_attempt_at',
  'payload',
  'received_at',
]

/** Whether a table is an inbox, with its unique key. */
export async function isInbox(connection: AdoptConnection, name: string): Promise<boolean> {
  const table = await describeTable(connection, { schema: undefined, name })
  const has = (column: string) => table?.columns.some((one) => one.name === column)
  return columns.every(has) && isUnique(connection, { schema: undefined, name }, 'stripe_event_id')
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
