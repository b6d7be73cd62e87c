import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { openSqliteReadonly, type SqliteDatabase } from './sqlite.ts'

export interface CopyListener {
  signal: AbortSignal
  /** Is told how many pages were copied, of how many. */
  onPages: (copied: number, total: number) => void
  /** Looks at the state that will be copied, before it is; what it throws ends the copy. */
  onSnapshot?: (snapshot: SqliteDatabase) => void
}

/**
 * Copies one consistent state of an SQLite file, its `-wal` included, page by page. Written under another name first: a
 * copy that was cut off is never taken for a whole one.
 */
export async function copySqliteFile(
  from: string,
  to: string,
  { signal, onPages, onSnapshot }: CopyListener,
): Promise<void> {
  const source = openSqliteReadonly(from)
  const partial = `${to}.partial`
  removeSqliteFile(partial)
  writeFileSync(partial, '', { mode: 0o600 }) // it holds everything that the other does
  try {
    // Without a transaction of its own the backup begins anew at every write of another process.
    source.exec('BEGIN')
    source.prepare('SELECT count(*) FROM sqlite_schema').get() // the snapshot begins with the first read
    onSnapshot?.(source)
    await source.backup(partial, {
      progress: ({ totalPages, remainingPages }) => {
        signal.throwIfAborted()
        onPages(totalPages - remainingPages, totalPages)
        return 4096
      },
    })
  } catch (error) {
    removeSqliteFile(partial)
    throw error
  } finally {
    source.close()
  }
  removeSqliteFile(to)
  renameSync(partial, to)
}

/**
 * Removes a file and what SQLite keeps beside it. A journal or a WAL that a process left behind when it was killed would be
 * applied to whatever is put in the file's place.
 */
export function removeSqliteFile(path: string): void {
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
}
