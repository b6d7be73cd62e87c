import type { Adoption, AdoptRequest } from '@outgrow/billing/adopt'
import { connectSql } from '@outgrow/databases'
import { readSchemaSource, writeAdded } from '@outgrow/schema'
import { inboxDdl, planInbox, type PlannedInbox } from './plan-inbox.ts'

export interface AdoptingProject {
  databaseUrl: string
  schema: string | undefined
  /** Put before names that are taken. */
  prefix: string
}

export interface ProjectAdoption {
  adoption: Adoption
  /** What was added to the schema, or would be. */
  planned: PlannedInbox | undefined
}

/**
 * Brings a database to the inbox, and the project's schema where one is named: both, or neither.
 * @throws Failure as `adoptInbox`, `planInbox` and `connectSql` do
 */
export async function adoptIntoProject(
  { databaseUrl, schema, prefix }: AdoptingProject,
  request: Omit<AdoptRequest, 'ddl'>,
): Promise<ProjectAdoption> {
  const planned = schema === undefined ? undefined : planInbox(readSchemaSource(schema), prefix)
  const { adoptInbox } = await import('@outgrow/billing/adopt')
  const connection = await connectSql(databaseUrl)
  try {
    const ddl = await inboxDdl(connection.provider, planned?.names)
    const adoption = await adoptInbox(connection, { ...request, ddl }, () => {
      if (planned) writeAdded(planned.added)
    })
    return { adoption, planned }
  } finally {
    await connection.close()
  }
}
