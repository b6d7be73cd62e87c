import type { StoredMigration } from '@outgrow/schema'
import type { StoragePair } from './plan.ts'

/** The schema in both dialects, as a move needs it. */
export interface PreparedSchema {
  storage: StoragePair
  /** SQL that makes the target's tables: the project's own Postgres migrations, else Prisma's DDL. */
  ddl: string
  /** Prisma's DDL for an empty database: one CREATE a table, whatever the migrations' history is. */
  prismaDdl: string
  /** What makes the tables of a file: the project's own SQLite migrations, else, where there are none, Prisma's DDL. */
  sqlite: { ddl: string; migrations: StoredMigration[]; folder: string; isPending: boolean }
  /** Further schemas (`@@schema`) that the tables lie in. */
  others: string[]
  baseline: StoredMigration[]
  /** False when the baseline is ours and is to be written beside the schema. */
  hasMigrations: boolean
  /** The schema has changed since the last of the migrations, which then make other tables. */
  isPending: boolean
  /** Folder that holds, or will hold, the Postgres schema and its migrations. */
  postgresDirectory: string
  postgresSchema: string
  checksum: string
}
