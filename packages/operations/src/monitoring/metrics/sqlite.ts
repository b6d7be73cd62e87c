import { parseDatabaseUrl } from '@outgrow/databases'
import { sqliteSizes } from '@outgrow/signs'
import type { MeasuredDatabase } from './database.ts'
import type { MetricGroup } from './family.ts'

const families = [
  { name: 'outgrow_sqlite_file_bytes', type: 'gauge', help: 'Size of the SQLite file' },
  { name: 'outgrow_sqlite_wal_bytes', type: 'gauge', help: 'Size of the SQLite file’s write-ahead log' },
  {
    name: 'outgrow_sqlite_checkpoint_lag_pages',
    type: 'gauge',
    help: 'Pages of the write-ahead log that are not in the file yet',
  },
] as const

/** The file of an application that uses SQLite now. */
export function sqliteGroup(database: MeasuredDatabase): MetricGroup {
  return {
    name: 'sqlite',
    families,
    read: () => {
      const url = parseDatabaseUrl(database.url)
      if (url.kind !== 'sqlite' || url.path === ':memory:') return undefined
      const { sizeBytes, walBytes, lagPages } = sqliteSizes(url.path)
      return [
        { name: 'outgrow_sqlite_file_bytes', value: sizeBytes },
        { name: 'outgrow_sqlite_wal_bytes', value: walBytes },
        ...(lagPages === null ? [] : [{ name: 'outgrow_sqlite_checkpoint_lag_pages', value: lagPages }]),
      ]
    },
  }
}
