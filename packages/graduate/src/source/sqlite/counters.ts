import type { SqliteDatabase } from '@outgrow/databases'

/** SQLite's own counters, which remember deleted rows, by table. */
export function readCounters(database: SqliteDatabase): Map<string, bigint> {
  const known = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").get()
  if (!known) return new Map()
  const rows = database.prepare('SELECT name, seq FROM sqlite_sequence').safeIntegers(true).all() as {
    name: string
    seq: unknown
  }[]
  return new Map(
    rows.filter(({ seq }) => typeof seq === 'bigint').map(({ name, seq }) => [name, seq as bigint]),
  )
}
