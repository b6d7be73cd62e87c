import { statSync } from 'node:fs'
import type { SqliteDatabase } from '@outgrow/databases'
import { messageOf } from '@outgrow/kit'
import type { SourceHealth } from '../source.ts'

/** Reads what an SQLite file says of itself; checks its integrity, which reads all of it. */
export function readHealth(database: SqliteDatabase, path: string): SourceHealth {
  return {
    sqliteVersion: database.prepare('SELECT sqlite_version()').pluck().get() as string,
    journalMode: database.pragma('journal_mode', { simple: true }) as string,
    encoding: database.pragma('encoding', { simple: true }) as string,
    integrity: integrityOf(database),
    walBytes: statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
  }
}

function integrityOf(database: SqliteDatabase): string {
  try {
    return (database.pragma('integrity_check(10)') as { integrity_check: string }[])
      .map((row) => row.integrity_check)
      .join('; ')
  } catch (error) {
    return messageOf(error)
  }
}
