import { mkdirSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite, type SqliteDatabase } from '@outgrow/databases'

/** A folder of its own below the project's state folder; the whole of it goes with the state folder. */
export function temporaryFolder(): string {
  const state = join(import.meta.dirname, '../../../.outgrow')
  mkdirSync(state, { recursive: true })
  return mkdtempSync(join(state, 'case-'))
}

/** A real SQLite file made by `sql`, with foreign keys off so that it can hold what real files hold. */
export function makeSqlite(sql: string, fill?: (database: SqliteDatabase) => void): string {
  const path = join(temporaryFolder(), 'app.db')
  const database = openSqlite(path)
  database.pragma('foreign_keys = OFF')
  database.exec(sql)
  fill?.(database)
  database.close()
  return path
}
