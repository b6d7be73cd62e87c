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

/**
 * Adds the inbox to a schema in memory; undefined where it has one. A name that is taken gets a prefix, as by `billing init`.
 * @throws Failure OUTGROW_BILLING_NAMES, OUTGROW_SCHEMA_INVALID, OUTGROW_SCHEMA_PROVIDER
 */
export function planInbox(source: SchemaSource): AddedSchema | undefined {
  const { EventStatus, WebhookEvent } = fragmentNamesIn(readDmmf(source.files), 'Billing', blockNames)
  const isMapped = source.files.some(([, text]) => text.includes(`@@map("${fragmentTables.WebhookEvent}")`))
  if (WebhookEvent.isThere || isMapped) return undefined
  const names = {
    // The table is made under its own name, whatever the model is called.
    EventStatus: { name: EventStatus.name, table: fragmentTables.EventStatus },
    WebhookEvent: { name: WebhookEvent.name, table: fragmentTables.WebhookEvent },
  }
  const blocks = inboxBlocks({ names, time: timeType(indexSchema(source)) })
  const missing = EventStatus.isThere ? [blocks.WebhookEvent] : [blocks.EventStatus, blocks.WebhookEvent]
  return addToSchema(source, { text: missing.join('\n\n'), file: 'billing.prisma', members: [] })
}

/** SQL that makes the inbox in a database without one. */
export function inboxDdl(provider: Provider): Promise<string> {
  const datasource = { source: provider, datasource: 'db' }
  const names = Object.fromEntries(
    blockNames.map((name) => [name, { name, table: fragmentTables[name] }]),
  ) as Parameters<typeof inboxBlocks>[0]['names']
  const blocks = inboxBlocks({ names, time: timeType(datasource) })
  const written = provider === 'sqlite' ? 'sqlite' : 'postgresql'
  return diffDatamodels(
    provider,
    undefined,
    `datasource db {\n  provider = "${written}"\n}\n\n${blocks.EventStatus}\n\n${blocks.WebhookEvent}\n`,
  )
}
