import { existsSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { Failure, messageOf } from '@outgrow/kit'

export type SqliteDatabase = Database.Database

/**
 * Opens an existing SQLite file for reading only. Never checkpoints, never writes to the file.
 * @throws Failure OUTGROW_SOURCE_NOT_FOUND, OUTGROW_SOURCE_NOT_SQLITE
 */
export function openSqliteReadonly(path: string): SqliteDatabase {
  if (!existsSync(path) || !statSync(path).isFile()) {
    throw new Failure({
      code: 'OUTGROW_SOURCE_NOT_FOUND',
      message: `There is no SQLite file at ${path}`,
      fix: 'Pass --from with the path of the database file, or set DATABASE_URL.',
    })
  }
  try {
    const database = new Database(path, { readonly: true, fileMustExist: true, timeout: 10_000 })
    database.pragma('query_only = 1')
    database.pragma('cache_size = -2000') // files are read from end to end: a larger cache only takes memory
    database.prepare('SELECT count(*) FROM sqlite_schema').get()
    return database
  } catch (cause) {
    throw new Failure({
      code: 'OUTGROW_SOURCE_NOT_SQLITE',
      message: `${path} cannot be read as an SQLite database: ${messageOf(cause)}`,
      why: 'The file is not SQLite, is encrypted, is damaged, or its folder does not let the -wal and -shm files be opened.',
      fix: 'Check the path; for a damaged file run `sqlite3 file ".recover"` on a copy.',
      cause,
    })
  }
}

/** Opens a database in memory. */
export function openSqliteInMemory(): SqliteDatabase {
  return new Database(':memory:')
}

/** Opens a file for writing, made when missing: WAL, foreign keys on, short waits in the driver. */
export function openSqlite(path: string, timeoutMs = 5000): SqliteDatabase {
  const database = new Database(path, { timeout: timeoutMs })
  database.pragma('journal_mode = WAL')
  database.pragma('foreign_keys = ON')
  return database
}

/** Opens an existing file so that its write lock can be taken. */
export function openSqliteForLock(path: string, timeoutMs = 10_000): SqliteDatabase {
  return new Database(path, { fileMustExist: true, timeout: timeoutMs })
}
