import { fragmentTables, inboxBlocks } from '@outgrow/billing/models'
import {
  addToSchema,
  diffDatamodels,
  indexSchema,
  readDmmf,
  type AddedSchema,
  type Provider,
  type SchemaSource,
} from '@outgrow/schema'
import { fragmentNamesIn, timeType } from './fragment-names.ts'

const blockNames = ['EventStatus', 'WebhookEvent'] as const

type InboxNames = Parameters<typeof inboxBlocks>[0]['names']

export interface PlannedInbox {
  added: AddedSchema
  /** What the inbox's blocks are called in the schema. */
  names: InboxNames
}

/**
 * Adds the inbox to a schema in memory; undefined where it has one. A name that is taken gets a prefix, as by `billing init`.
 * @throws Failure OUTGROW_BILLING_NAMES, OUTGROW_SCHEMA_INVALID, OUTGROW_SCHEMA_PROVIDER
 */
export function planInbox(source: SchemaSource, prefix: string): PlannedInbox | undefined {
  const dmmf = readDmmf(source.files)
  // The table is made under its own name, whatever the model is called.
  const table = fragmentTables.WebhookEvent
  if (dmmf.datamodel.models.some(({ name, dbName }) => (dbName ?? name) === table)) return undefined
  const { EventStatus, WebhookEvent } = fragmentNamesIn(dmmf, prefix, blockNames)
  if (WebhookEvent.isThere) return undefined
  const names = { EventStatus, WebhookEvent: { name: WebhookEvent.name, table } }
  const blocks = inboxBlocks({ names, time: timeType(indexSchema(source)) })
  const missing = EventStatus.isThere ? [blocks.WebhookEvent] : [blocks.EventStatus, blocks.WebhookEvent]
  const added = addToSchema(source, { text: missing.join('\n\n'), file: 'billing.prisma', members: [] })
  readDmmf(added.source.files) // which Prisma has to accept
  return { added, names }
}

/** SQL that makes the inbox in a database without one. */
export function inboxDdl(
  provider: Provider,
  names: InboxNames = {
    EventStatus: { name: 'EventStatus', table: fragmentTables.EventStatus },
    WebhookEvent: { name: 'WebhookEvent', table: fragmentTables.WebhookEvent },
  },
): Promise<string> {
  const blocks = inboxBlocks({ names, time: timeType({ source: provider, datasource: 'db' }) })
  const written = provider === 'sqlite' ? 'sqlite' : 'postgresql'
  return diffDatamodels(
    provider,
    undefined,
    `datasource db {\n  provider = "${written}"\n}\n\n${blocks.EventStatus}\n\n${blocks.WebhookEvent}\n`,
  )
}
