import { findInbox, takenNames, type AdoptConnection } from '@outgrow/billing/adopt'
import { inboxBlocks, inboxNames } from '@outgrow/billing/models'
import { diffDatamodels, type Provider } from '@outgrow/schema'
import { fragmentNamesIn, timeType, type Named } from './fragment-names.ts'

export interface PlannedDatabase {
  /** The inbox's table. */
  inbox: string
  prepare: () => Promise<void>
}

/**
 * Plans the inbox in a database whose schema is kept elsewhere: one table, made in one transaction.
 * @throws Failure OUTGROW_BILLING_NAMES
 */
export async function planInDatabase(connection: AdoptConnection, prefix: string): Promise<PlannedDatabase> {
  const there = await findInbox(connection, prefix)
  if (there !== undefined) return { inbox: there, prepare: () => Promise.resolve() }
  const nothing = { datamodel: { models: [], enums: [], types: [] } }
  const names = fragmentNamesIn(nothing as never, prefix, inboxNames, await takenNames(connection))
  return {
    inbox: names.WebhookEvent.table,
    prepare: async () => runScript(connection, await inboxDdl(connection.provider, names)),
  }
}

/** SQL that makes the inbox in a database without one. */
export function inboxDdl(
  provider: Provider,
  names: Record<(typeof inboxNames)[number], Named>,
): Promise<string> {
  const blocks = inboxBlocks({ names, time: timeType({ source: provider, datasource: 'db' }) })
  const written = provider === 'sqlite' ? 'sqlite' : 'postgresql'
  const database = `datasource db {\n  provider = "${written}"\n}\n`
  // From what is there, without models: from nothing, Prisma also makes the schema public.
  return diffDatamodels(provider, database, `${database}\n${blocks.EventStatus}\n\n${blocks.WebhookEvent}\n`)
}

/** Runs a script completely or not at all. */
export async function runScript({ provider, script }: AdoptConnection, sql: string): Promise<void> {
  await script(provider === 'sqlite' ? 'BEGIN IMMEDIATE' : 'BEGIN')
  try {
    await script(sql)
    await script('COMMIT')
  } catch (error) {
    await script('ROLLBACK')
    throw error
  }
}
