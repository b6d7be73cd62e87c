import { existsSync, statSync } from 'node:fs'
import {
  openSqliteForLock,
  openSqliteReadonly,
  parseSqliteSource,
  quoteIdentifier,
  withoutTraces,
  type SqliteDatabase,
} from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import { SourceReader } from './reader.ts'

/** One consistent view of an SQLite file, the `-wal` file included. Writers may go on meanwhile. */
export interface Snapshot {
  path: string
  database: SqliteDatabase
  /** Tells this state of the file from another one, for `--resume`. */
  fingerprint: string
  sizeBytes: number
  /**
   * Takes the write lock for a moment and looks whether anything was committed since the snapshot.
   * The file is not changed: nothing is written under the lock, and a reader stays open so that closing checkpoints nothing.
   * @throws Failure OUTGROW_SOURCE_BUSY when a writer keeps the lock
   */
  hasAdvanced(): boolean
  /** How many rows the tables have more by now. */
  rowsSince(tables: string[]): number
}

/** Runs `use` on a snapshot of the file. */
export async function withSnapshot<Result>(
  source: string,
  use: (snapshot: Snapshot) => Promise<Result>,
): Promise<Result> {
  const { path } = parseSqliteSource(source)
  return withoutTraces(path, () => withReaders(path, async () => {}, use))
}

/** As `withSnapshot`, with a thread beside it that reads the very same state of the file. */
export async function withSharedSnapshot<Result>(
  source: string,
  signal: AbortSignal,
  use: (snapshot: Snapshot, reader: SourceReader) => Promise<Result>,
): Promise<Result> {
  const { path } = parseSqliteSource(source)
  return withoutTraces(path, async () => {
    openSqliteReadonly(path).close() // what is wrong with the file is said here, not in the thread
    const reader = new SourceReader(path, signal)
    try {
      return await withReaders(
        path,
        () => reader.begin(),
        (snapshot) => use(snapshot, reader),
      )
    } finally {
      await reader.close()
    }
  })
}

const mostTries = 200

/** @param beginOther begins a further read transaction, which is to see the same state */
async function withReaders<Result>(
  path: string,
  beginOther: () => Promise<void>,
  use: (snapshot: Snapshot) => Promise<Result>,
): Promise<Result> {
  const witness = openSqliteReadonly(path)
  const database = openSqliteReadonly(path)
  try {
    for (let attempt = 1; ; attempt++) {
      const versionAtStart = dataVersion(witness)
      database.exec('BEGIN')
      database.prepare('SELECT count(*) FROM sqlite_schema').get()
      await beginOther()
      const fingerprint = fingerprintOf(path)
      // A commit in between would have the two transactions, or the fingerprint, tell of different states.
      if (dataVersion(witness) === versionAtStart) {
        return await use({
          path,
          database,
          fingerprint,
          sizeBytes: statSync(path).size,
          hasAdvanced: () => underWriteLock(path, () => dataVersion(witness) !== versionAtStart),
          rowsSince: (tables) => Math.max(0, countRows(witness, tables) - countRows(database, tables)),
        })
      }
      database.exec('ROLLBACK')
      if (attempt === mostTries) throw neverQuiet(path)
    }
  } finally {
    database.close()
    witness.close()
  }
}

function neverQuiet(path: string): Failure {
  return new Failure({
    code: 'OUTGROW_SOURCE_BUSY',
    message: `${path} was written to each of ${mostTries} times that a snapshot was begun.`,
    fix: 'Stop the application, or move a copy made with VACUUM INTO.',
  })
}

function countRows(database: SqliteDatabase, tables: string[]): number {
  return tables.reduce((sum, table) => {
    const known = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table)
    if (!known) return sum // dropped since
    return (
      sum +
      (database
        .prepare(`SELECT count(*) FROM ${quoteIdentifier(table)}`)
        .pluck()
        .get() as number)
    )
  }, 0)
}

function dataVersion(database: SqliteDatabase): number {
  // The version is refreshed by a read.
  database.prepare('SELECT count(*) FROM sqlite_schema').get()
  return database.pragma('data_version', { simple: true }) as number
}

function underWriteLock(path: string, look: () => boolean): boolean {
  let writer: SqliteDatabase
  try {
    writer = openSqliteForLock(path)
  } catch {
    return look() // a file that may not be written has no writer in this process' reach
  }
  try {
    writer.exec('BEGIN IMMEDIATE')
  } catch (cause) {
    writer.close()
    if ((cause as { code?: string }).code === 'SQLITE_READONLY') return look()
    throw new Failure({
      code: 'OUTGROW_SOURCE_BUSY',
      message: `A writer keeps the lock of ${path}: ${messageOf(cause)}`,
      why: 'Whether rows came after the snapshot can only be told while nobody writes.',
      fix: 'Stop the application and run the command again with --resume.',
      cause,
    })
  }
  try {
    return look()
  } finally {
    writer.exec('ROLLBACK')
    writer.close()
  }
}

/** Sizes and modification times of the file and its log: any commit changes one of them. */
function fingerprintOf(path: string): string {
  return [path, `${path}-wal`]
    .map((file) => {
      if (!existsSync(file)) return 'none'
      const { size, mtimeNs } = statSync(file, { bigint: true })
      return size === 0n ? 'none' : `${size}@${mtimeNs}`
    })
    .join(' ')
}
