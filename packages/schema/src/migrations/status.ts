import { parseDatabaseUrl, refusePooled, type ScratchOptions } from '@outgrow/databases'
import type { Provider } from '../engine/schema-engine.ts'
import type { SchemaSource } from '../source.ts'
import { historyOf } from './history.ts'
import { readRecords, migrationStateOf, type MigrationState } from './records.ts'
import { difference, differenceLines, structureAfter, structureOf, withinSchemas } from './structure.ts'

/** One side of the project: its migrations, and where a database of that provider stands. */
export interface MigrationStatus extends MigrationState {
  provider: Provider
  folder: string
  migrations: string[]
  /** False where no database was looked at. */
  hasDatabase: boolean
  /** Whether the database has tables and no history. */
  unrecorded: boolean
  /** Where its structure is not what the applied migrations lead to; undefined when that was not compared. */
  drift: string[] | undefined
}

/** Whether a side is in step: everything applied, nothing failed, nothing drifted. */
export function isUpToDate({
  hasDatabase,
  pending,
  failed,
  edited,
  unknown,
  unrecorded,
  drift,
}: MigrationStatus): boolean {
  if (!hasDatabase) return true
  return !unrecorded && [pending, failed, edited, unknown, drift ?? []].every((list) => list.length === 0)
}

/**
 * Where one provider's migrations and one database stand. Nothing is written.
 * @param scratch undefined: the structure is not compared
 * @throws Failure OUTGROW_TARGET_POOLED
 */
export async function migrationStatus(
  source: SchemaSource,
  provider: Provider,
  databaseUrl: string | undefined,
  scratch: ScratchOptions | undefined,
): Promise<MigrationStatus> {
  const { folder, migrations } = historyOf(source, provider)
  const names = migrations.map(({ name }) => name)
  const none = { applied: [], pending: [], failed: [], edited: [], unknown: [] }
  const side = { provider, folder, migrations: names, hasDatabase: databaseUrl !== undefined }
  if (databaseUrl === undefined) return { ...side, ...none, unrecorded: false, drift: undefined }
  await refusePooled(databaseUrl)
  const { records, hasTables } = await readRecords(databaseUrl)
  const standing = migrationStateOf(migrations, records ?? [])
  const unrecorded = !records && hasTables
  const comparable = scratch !== undefined && records !== undefined && standing.failed.length === 0
  if (!comparable || standing.unknown.length > 0 || standing.applied.length === 0) {
    return { ...side, ...standing, unrecorded, drift: undefined }
  }
  const applied = migrations.filter(({ name }) => standing.applied.includes(name))
  const promised = await structureAfter(databaseUrl, applied, scratch)
  const found = withinSchemas(await structureOf(databaseUrl), promised, databaseUrl)
  const drift = differenceLines(difference(promised, found))
  return { ...side, ...standing, unrecorded, drift }
}

/**
 * Where both providers' migrations stand, and each of the databases.
 * @param scratch undefined: structures are not compared
 */
export async function migrationStatuses(
  source: SchemaSource,
  databaseUrls: string[],
  scratch: ScratchOptions | undefined,
): Promise<MigrationStatus[]> {
  const sides: MigrationStatus[] = []
  for (const provider of ['sqlite', 'postgres'] as const) {
    const urls = databaseUrls.filter((url) => parseDatabaseUrl(url).kind === provider)
    for (const url of urls.length === 0 ? [undefined] : urls) {
      sides.push(await migrationStatus(source, provider, url, scratch))
    }
  }
  return sides
}
