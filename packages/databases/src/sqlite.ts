import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { Failure, messageOf } from '@outgrow/kit'

export type SqliteDatabase = Database.Database

/**
 * Opens an existing SQLite file for reading only. Never checkpoints, never writes to the file.
 * @throws Failure OUTGROW_SOURCE_NOT_FOUND, OUTGROW_SOURCE_NOT_SQLITE, OUTGROW_SOURCE_BUSY, OUTGROW_SOURCE_UNREADABLE
 */
export function openSqliteReadonly(path: string): SqliteDatabase {
  if (!existsSync(path) || !statSync(path).isFile()) {
    throw new Failure({
      code: 'OUTGROW_SOURCE_NOT_FOUND',
      message: `There is no SQLite file at ${path}`,
      fix: 'Check the path of the database file, or DATABASE_URL.',
    })
  }
  try {
    const database = new Database(path, { readonly: true, fileMustExist: true, timeout: 10_000 })
    database.pragma('query_only = 1')
    database.pragma('cache_size = -2000') // files are read from end to end: a larger cache only takes memory
    database.prepare('SELECT count(*) FROM sqlite_schema').get()
    return database
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function unreadable(path: string, cause: unknown): Failure {
  const { code = '' } = cause as { code?: string }
  const reported = messageOf(cause)
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return new Failure({
      code: 'OUTGROW_SOURCE_BUSY',
      message: `${path} is locked by another process: ${reported}`,
      why: 'It is being written in a journal mode that blocks readers, or its application holds an exclusive lock (locking_mode = EXCLUSIVE).',
      fix: 'Stop that process, or take a copy with sqlite3 app.db "VACUUM INTO \'copy.db\'".',
      cause,
    })
  }
  if (/^SQLITE_(CANTOPEN|READONLY|PERM|IOERR)/.test(code) || /^E[A-Z]+$/.test(code)) {
    return new Failure({
      code: 'OUTGROW_SOURCE_UNREADABLE',
      message: `${path} cannot be opened: ${reported}`,
      why: 'You have no permission to read the file, or it is in WAL mode and its -wal and -shm files cannot be opened or created.',
      fix: 'Run as a user with write access to the folder, or copy the file together with its -wal to a folder that you own.',
      cause,
    })
  }
  return new Failure({
    code: 'OUTGROW_SOURCE_NOT_SQLITE',
    message: `${path} cannot be read as an SQLite database: ${reported}`,
    why: 'The file is not SQLite, is encrypted, or is damaged.',
    fix: 'Check the path; for a damaged file run `sqlite3 file ".recover"` on a copy.',
    cause,
  })
}

/**
 * Runs `use`, which reads a file, and takes away the empty `-wal` and `-shm` files that reading has made beside it. Those
 * that were there before, and those that somebody has written to, stay.
 */
export async function withoutSidecarFiles<Result>(path: string, use: () => Promise<Result>): Promise<Result> {
  using _ = traceRemover(path)
  return await use()
}

/** Takes the traces away when it is disposed of, once everything that was opened meanwhile is closed. */
export function traceRemover(path: string): Disposable {
  const traces = [`${path}-wal`, `${path}-shm`]
  const hadSome = traces.some((trace) => existsSync(trace))
  return {
    [Symbol.dispose]: () => {
      const size = statSync(traces[0] as string, { throwIfNoEntry: false })?.size
      if (!hadSome && size === 0) closeForGood(path)
    },
  }
}

/** The last connection that closes removes both files; one that may only read does not. */
function closeForGood(path: string): void {
  try {
    const database = new Database(path, { fileMustExist: true, timeout: 0 })
    database.prepare('SELECT count(*) FROM sqlite_schema').get()
    database.close()
  } catch {
    // Somebody else has it by now, and closes it.
  }
}

/** `SQLite 3.54.1`: the library that this product brings along. */
export function sqliteVersion(): string {
  const database = openSqliteInMemory()
  try {
    return `SQLite ${String(database.prepare('SELECT sqlite_version()').pluck().get())}`
  } finally {
    database.close()
  }
}

/** Opens a database in memory. */
export function openSqliteInMemory(): SqliteDatabase {
  return new Database(':memory:')
}

/** @throws Failure OUTGROW_URL_INVALID where a file could not be made */
export function refuseMissingFolder(path: string): void {
  if (path === ':memory:' || existsSync(dirname(path))) return
  throw new Failure({
    code: 'OUTGROW_URL_INVALID',
    message: `The folder ${dirname(path)} of the database does not exist.`,
    fix: 'Check the path, or make the folder.',
  })
}

/** Opens a file for writing, made when missing: WAL, foreign keys on, short waits in the driver. */
export function openSqlite(path: string, timeoutMs = 5000): SqliteDatabase {
  refuseMissingFolder(path)
  const database = new Database(path, { timeout: timeoutMs })
  database.pragma('journal_mode = WAL')
  database.pragma('foreign_keys = ON')
  return database
}

/** Makes a new file, without a `-wal` of its own. */
export function createSqlite(path: string): SqliteDatabase {
  return new Database(path)
}

/** Opens an existing file so that its write lock can be taken. */
export function openSqliteForLock(path: string, timeoutMs = 10_000): SqliteDatabase {
  return new Database(path, { fileMustExist: true, timeout: timeoutMs })
}
