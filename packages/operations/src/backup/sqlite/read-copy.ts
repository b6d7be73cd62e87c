import { openSqliteForLock } from '@outgrow/databases'
import { messageOf } from '@outgrow/kit'
import type { TableDigest } from '../model/manifest.ts'
import { checkIntegrity, isDamage, type Integrity } from './check.ts'
import { digestRows } from './digest-rows.ts'
import { storedTables } from './stored-tables.ts'

/** What a file that nobody else uses holds. */
export interface CopyContents extends Integrity {
  tables: TableDigest[]
}

/** Stands where the digest of a table would that cannot be read. */
const unreadable = 'unreadable'

/**
 * Reads all of a file that nobody else uses: every row, and what SQLite says of its integrity. A table that cannot be read
 * is damage, and has a digest that says so.
 */
export function readCopy(path: string, onBytes: (bytes: number) => void = () => {}): CopyContents {
  // One that may only read leaves files beside a file in WAL mode.
  const database = openSqliteForLock(path)
  try {
    database.pragma('query_only = 1')
    const stored = storedTables(database)
    const { damage, notes } = checkIntegrity(
      database,
      stored.map(({ name }) => name),
    )
    const tables: TableDigest[] = []
    for (const table of stored) {
      try {
        tables.push(digestRows(database, table, onBytes))
      } catch (error) {
        if (!isDamage(error)) throw error
        damage.push(`${table.name} cannot be read: ${messageOf(error)}`)
        tables.push({ name: table.name, rows: 0, digest: unreadable })
      }
    }
    return { tables, damage, notes }
  } finally {
    database.close()
  }
}
