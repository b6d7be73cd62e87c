import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { openSqliteReadonly } from '@outgrow/databases'
import { readTables } from './tables.ts'

/**
 * Copies one consistent state of an SQLite file, its `-wal` included, page by page. Written under another name first: a
 * copy that was cut off is never taken for a whole one.
 * @param onPages is told how many pages were copied, of how many
 */
export async function copySqliteFile(
  from: string,
  to: string,
  { signal, onPages }: { signal: AbortSignal; onPages: (copied: number, total: number) => void },
): Promise<void> {
  const source = openSqliteReadonly(from)
  const partial = `${to}.partial`
  removeSqliteFile(partial)
  writeFileSync(partial, '', { mode: 0o600 }) // it holds everything that the other does
  try {
    // Without a transaction of its own the backup begins anew at every write of another process.
    source.exec('BEGIN')
    readTables(source)
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
