import { parseDatabaseUrl } from '@outgrow/databases'
import type { BackupProvider } from './model/manifest.ts'
import type { SourceLook, WithBackupSource, WithRestoreTarget } from './model/source.ts'
import { lookAtPostgres, withPostgresSource } from './postgres/postgres-source.ts'
import { withPostgresTarget } from './postgres/restore/postgres-target.ts'
import { lookAtSqlite, withSqliteSource } from './sqlite/sqlite-source.ts'
import { withSqliteTarget } from './sqlite/sqlite-target.ts'

interface Provider {
  /** @throws Failure: as a backup would */
  look: (url: string) => Promise<SourceLook>
  withSource: WithBackupSource
  withTarget: WithRestoreTarget
}

const providers: Record<BackupProvider, Provider> = {
  sqlite: { look: lookAtSqlite, withSource: withSqliteSource, withTarget: withSqliteTarget },
  postgres: {
    look: lookAtPostgres,
    withSource: withPostgresSource,
    withTarget: withPostgresTarget,
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
