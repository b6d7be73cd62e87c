import { parseDatabaseUrl } from '@outgrow/databases'
import type { BackupProvider, Manifest } from './model/manifest.ts'
import type { SourceLook, WithBackupSource, WithRestoreTarget } from './model/source.ts'
import { lookAtPostgres } from './postgres/look-at-postgres.ts'
import { withPostgresSource } from './postgres/postgres-source.ts'
import { withPostgresTarget } from './postgres/restore/postgres-target.ts'
import { makeScratchRoles } from './postgres/restore/scratch-roles.ts'
import { lookAtSqlite, withSqliteSource } from './sqlite/sqlite-source.ts'
import { withSqliteTarget } from './sqlite/sqlite-target.ts'

interface Provider {
  /** @throws Failure: as a backup would */
  look: (url: string) => Promise<SourceLook>
  withSource: WithBackupSource
  withTarget: WithRestoreTarget
  /** Gives a server that lives as long as a drill what the backup expects of its server. */
  prepareScratch: (url: string, manifest: Manifest) => Promise<void>
}

const providers: Record<BackupProvider, Provider> = {
  sqlite: {
    look: lookAtSqlite,
    withSource: withSqliteSource,
    withTarget: withSqliteTarget,
    prepareScratch: async () => {},
  },
  postgres: {
    look: lookAtPostgres,
    withSource: withPostgresSource,
    withTarget: withPostgresTarget,
    prepareScratch: makeScratchRoles,
  },
}

/** How databases of a kind are backed up and restored. */
export function providerOf(kind: BackupProvider): Provider {
  return providers[kind]
}

/** What kind of database a URL names. */
export function kindOf(url: string): BackupProvider {
  return parseDatabaseUrl(url).kind
}
