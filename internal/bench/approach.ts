import type { Usage } from './process-usage.ts'

/** In their order within a round. */
export const approachNames = [
  'outgrow',
  'outgrow verify',
  'outgrow by driver',
  'outgrow unverified',
  'limit',
  'pgloader',
  'sqlite3 csv to psql',
] as const

export type ApproachName = (typeof approachNames)[number]

/** What all approaches move. */
export interface Work {
  /** SQLite file. */
  file: string
  /** Prisma schema file. */
  schema: string
  /** File with the statements that make the empty Postgres database. */
  ddl: string
  /** For whatever an approach makes. */
  folder: string
  /** Aborted when the bench is to end. */
  signal: AbortSignal
}

export interface Approach {
  /** Runs against an empty database, or against the one that outgrow filled. */
  on: 'empty' | 'filled'
  /** Does once, before the first round, what is not measured. @param url of a database that stays empty */
  prepare?(url: string): Promise<void> | void
  run(url: string): Promise<Usage>
}
