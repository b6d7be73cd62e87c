import { parseDatabaseUrl } from '@outgrow/databases'
import type { BackupProvider } from './model/manifest.ts'
import type { SourceLook, WithBackupSource, WithRestoreTarget } from './model/source.ts'
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
  postgres: { look: notYet, withSource: notYet, withTarget: notYet },
}

function notYet(): never {
  throw new Error('Postgres is not backed up yet')
}

/** How databases of a kind are backed up and restored. */
export function providerOf(kind: BackupProvider): Provider {
  return providers[kind]
}

/** What kind of database a URL names. */
export function kindOf(url: string): BackupProvider {
  return parseDatabaseUrl(url).kind
}
