import type { Adoption, AdoptRequest } from '@outgrow/billing/adopt'
import { connectSql } from '@outgrow/databases'
import { readSchemaSource, writeAdded } from '@outgrow/schema'
import { inboxDdl, planInbox } from './plan-inbox.ts'

export interface ProjectAdoption {
  adoption: Adoption
  /** The model was added to the schema. */
  isModelAdded: boolean
}

/**
 * Brings a database to the inbox, and the project's schema where one is named. What is wrong with the schema is said before
 * the database is changed.
 * @throws Failure as `adoptInbox`, `planInbox` and `connectSql` do
 */
export async function adoptIntoProject(
  { databaseUrl, schema }: { databaseUrl: string; schema: string | undefined },
  request: Omit<AdoptRequest, 'ddl'>,
): Promise<ProjectAdoption> {
  const added = schema === undefined ? undefined : planInbox(readSchemaSource(schema))
  const { adoptInbox } = await import('@outgrow/billing/adopt')
  const connection = await connectSql(databaseUrl)
  try {
    const adoption = await adoptInbox(connection, { ...request, ddl: await inboxDdl(connection.provider) })
    const isModelAdded = added !== undefined && !request.dryRun
    if (isModelAdded) writeAdded(added)
    return { adoption, isModelAdded }
  } finally {
    await connection.close()
  }
}
