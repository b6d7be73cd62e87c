import type { Adoption, AdoptConnection, AdoptRequest, Preset } from '@outgrow/billing/adopt'
import { connectSql, refusePooled, type ScratchOptions } from '@outgrow/databases'
import { readSchemaSource } from '@outgrow/schema'
import type { PlannedProject } from './plan-in-project.ts'

export interface AdoptingProject {
  databaseUrl: string
  /** Undefined: the database alone. */
  schema: string | undefined
  /** The model that pays; undefined: only the inbox is added. */
  account: string | undefined
  /** Put before names that are taken. */
  prefix: string
}

export interface AdoptingRun {
  dryRun: boolean
  scratch: ScratchOptions
  signal: AbortSignal
  onProgress: (adoption: Adoption) => void
}

export interface ProjectAdoption {
  adoption: Adoption
  /** What was added to the schema, or would be. */
  planned: PlannedProject | undefined
  preset: Preset | undefined
  /** Rows stayed behind, or cannot be worked on. */
  hasLeftovers: boolean
}

/**
 * Brings a database to the inbox, and the project's schema where one is named: both, or neither. Then takes the events over.
 * Everything that can be known is known before anything is written.
 * @throws Failure as `adoptInbox`, `planInProject`, `planInDatabase` and `connectSql` do
 */
export async function adoptIntoProject(
  project: AdoptingProject,
  request: AdoptRequest,
  { scratch, ...run }: AdoptingRun,
): Promise<ProjectAdoption> {
  const [
    { adoptInbox, findSource, hasLeftovers, presetOf, refuseWithoutSchema },
    { planInDatabase },
    { planInProject },
  ] = await Promise.all([
    import('@outgrow/billing/adopt'),
    import('./adopt-into-database.ts'),
    import('./plan-in-project.ts'),
  ])
  const preset = request.preset === undefined ? undefined : presetOf(request.preset)
  const source = project.schema === undefined ? undefined : readSchemaSource(project.schema)
  await refusePooled(project.databaseUrl)
  const connection: AdoptConnection & { close(): Promise<void> } = await connectSql(project.databaseUrl)
  try {
    await refuseWithoutSchema(connection)
    await findSource(connection, request)
    const planned = source && (await planInProject(connection, { ...project, source }, scratch))
    const { inbox, prepare } = planned ?? (await planInDatabase(connection, project.prefix))
    const adoption = await adoptInbox(connection, request, { ...run, inbox, prepare })
    return { adoption, planned, preset, hasLeftovers: hasLeftovers(adoption) }
  } finally {
    await connection.close()
  }
}
