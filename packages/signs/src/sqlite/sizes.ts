import { statSync } from 'node:fs'
import { openSqliteReadonly } from '@outgrow/databases'
import { readWal } from './wal.ts'

export interface SqliteSizes {
  sizeBytes: number
  walBytes: number
  /** Pages in the WAL that are not yet in the file; null in other journal modes. */
  lagPages: number | null
}

/**
 * How large a file and its WAL are. Takes no lock that a writer would wait for.
 * @throws Failure OUTGROW_SOURCE_NOT_FOUND, OUTGROW_SOURCE_NOT_SQLITE
 */
export function sqliteSizes(path: string): SqliteSizes {
  const reader = openSqliteReadonly(path)
  try {
    const wal = readWal(reader)
    return {
      sizeBytes: statSync(path).size,
      walBytes: statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
      lagPages: wal ? wal.frames - wal.checkpointed : null,
    }
  } finally {
    reader.close()
  }
}
