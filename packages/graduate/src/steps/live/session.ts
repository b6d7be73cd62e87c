import type { Progress } from '../../model/progress.ts'
import type { FollowedTable } from '../../model/change.ts'
import type { MoveOptions } from '../../model/options.ts'
import type { Staging } from '../../model/staging.ts'
import type { Graduation, GraduationLedger } from '../../ledger/graduation.ts'
import type { DirtyKeys } from '../../source/sqlite/live/dirty.ts'
import type { LiveFile } from '../../source/sqlite/live/live-file.ts'
import type { FollowedSql } from '../../target/postgres/live/followed-tables.ts'
import type { PostgresTarget } from '../../target/postgres/postgres-target.ts'

/** A graduation as the process sees it that works on it: both sides open, the target taken for itself. */
export interface LiveSession {
  file: LiveFile
  dirty: DirtyKeys
  target: PostgresTarget
  /** Reads on one state of the target while `target` goes on. */
  second: PostgresTarget
  ledger: GraduationLedger
  staging: Staging
  /** As it is by now: what is recorded is changed here too. */
  graduation: Graduation
  /** In the schemas where they are now. */
  tables: FollowedTable[]
  sql: ReadonlyMap<number, FollowedSql>
  options: MoveOptions
  /** Numbers of the tables whose rows have changed since their counters were moved on. */
  uncounted: Set<number>
  /** Of the file, when changes began to be captured: another number means another schema. */
  schemaVersion: number
  progress: Progress
  signal: AbortSignal
}
