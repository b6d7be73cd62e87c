import type { SqliteDatabase } from './sqlite.ts'

/**
 * Which database an application's rows are in while it graduates, and for as long as there is a way back. It is one row
 * of the SQLite file, so that every process that has the file open agrees: the commit that changes it is the switch.
 */
export interface Authority {
  side: 'sqlite' | 'postgres'
  /** Grows with every switch, forward or back. */
  epoch: number
  state: GraduationState
  target: TargetIdentity
  /** Name of the graduation: the run's, in the target. */
  graduation: string
  /** Since when, ISO 8601. */
  changedAt: string
}

/**
 * `capturing`: changes are logged, and nothing was copied yet. `copying`: a snapshot is being loaded. `following`: the
 * target follows. `switched`: the target has the authority, and the file follows. `completed`: there is no way back.
 */
export type GraduationState = 'capturing' | 'copying' | 'following' | 'switched' | 'completed'

/** Tells a Postgres from any other, without the secrets of its URL. */
export interface TargetIdentity {
  database: string
  schema: string
  /** Of the cluster: `pg_control_system()`, where the role may ask for it. */
  system: string | null
}

/** The applications' sessions share it in each transaction; who takes the tables away has it for itself. 'outg', and what for. */
export const authorityLock = [0x6f757467, 2] as const

/** Every old name becomes a view of this table, which does not exist: statements fail, and say why. */
export const movedTable = '_outgrow_moved'

/** What a table that the authority has left is named. */
export const asidePrefix = '_graduated_'

/** A table's own name, whether or not it is aside. */
export function nameBeforeAside(name: string): string {
  return name.startsWith(asidePrefix) ? name.slice(asidePrefix.length) : name
}

/** Statements that make the tables of a graduation in the file. */
export const authorityDdl = [
  `CREATE TABLE _outgrow_authority (
     id INTEGER PRIMARY KEY CHECK (id = 1), side TEXT NOT NULL, epoch INTEGER NOT NULL, state TEXT NOT NULL,
     target TEXT NOT NULL, graduation TEXT NOT NULL, changed_at TEXT NOT NULL)`,
  `CREATE TABLE _outgrow_process (
     id TEXT PRIMARY KEY, pid INTEGER NOT NULL, host TEXT NOT NULL, name TEXT NOT NULL, started_at TEXT NOT NULL,
     seen_at TEXT NOT NULL, reaches INTEGER, problem TEXT, epoch INTEGER NOT NULL)`,
]

/** Undefined where no graduation is under way. */
export function readAuthority(database: SqliteDatabase): Authority | undefined {
  const known = database.prepare("SELECT 1 FROM main.sqlite_schema WHERE name = '_outgrow_authority'").get()
  if (known === undefined) return undefined
  const row = database
    .prepare(
      'SELECT side, epoch, state, target, graduation, changed_at AS changedAt FROM main._outgrow_authority',
    )
    .get() as (Omit<Authority, 'target'> & { target: string }) | undefined
  return row && { ...row, target: JSON.parse(row.target) as TargetIdentity }
}

/** Writes the row, within the caller's transaction. */
export function writeAuthority(database: SqliteDatabase, authority: Omit<Authority, 'changedAt'>): void {
  const { side, epoch, state, target, graduation } = authority
  database
    .prepare('INSERT OR REPLACE INTO main._outgrow_authority VALUES (1, ?, ?, ?, ?, ?, ?)')
    .run(side, epoch, state, JSON.stringify(target), graduation, new Date().toISOString())
}

/** A process of the application that has the file open. It tells of itself while there is a graduation. */
export interface ApplicationProcess {
  id: string
  pid: number
  host: string
  /** The script that it runs. */
  name: string
  /** ISO 8601. */
  startedAt: string
  seenAt: string
  /** Whether it has connected to the target; null before it has tried. */
  reaches: boolean | null
  /** Why it has not. */
  problem: string | null
  /** Of the authority that it follows. */
  epoch: number
}

export function listProcesses(database: SqliteDatabase): ApplicationProcess[] {
  const rows = database
    .prepare(
      `SELECT id, pid, host, name, started_at AS startedAt, seen_at AS seenAt, reaches, problem, epoch
         FROM main._outgrow_process ORDER BY started_at, id`,
    )
    .all() as (Omit<ApplicationProcess, 'reaches'> & { reaches: number | null })[]
  return rows.map((row) => ({ ...row, reaches: row.reaches === null ? null : row.reaches === 1 }))
}
