import { readFileSync, statSync } from 'node:fs'
import type { SqliteDatabase } from '@outgrow/databases'

/** How far the WAL has come. */
export interface WalState {
  /** Pages that were written to it since it began anew. */
  frames: number
  /** Those of them that are in the file already. */
  checkpointed: number
}

/** Reads it without a checkpoint (SQLite 3.51 and later, as the driver brings it). Undefined in other journal modes. */
export function readWal(database: SqliteDatabase): WalState | undefined {
  const [state] = database.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[]
  return state === undefined || state.log < 0
    ? undefined
    : { frames: state.log, checkpointed: state.checkpointed }
}

/** First and last byte of the read locks in the `-shm` file; source: "WAL-mode File Format" of SQLite's documentation. */
const readLocks = { first: 120 + 3, last: 120 + 7 }

/**
 * Who holds a read lock on the WAL now, as `pid:byte`; empty where the kernel does not list locks (not Linux).
 * The file itself is never opened: closing it would take away the locks that this very process may have on it.
 */
export function walReaders(path: string): Set<string> {
  try {
    const inode = statSync(`${path}-shm`).ino
    return new Set(
      readFileSync('/proc/locks', 'utf8')
        .split('\n')
        .flatMap((line) => {
          // 1: POSIX  ADVISORY  READ 3994 fe:00:2146342 124 124
          const match = /READ\s+(\d+)\s+\S+:(\d+)\s+(\d+)\s+(\d+)/.exec(line)
          if (!match || Number(match[2]) !== inode) return []
          const [from, to] = [Number(match[3]), Number(match[4])]
          return Array.from({ length: readLocks.last - readLocks.first + 1 }, (_, at) => readLocks.first + at)
            .filter((byte) => byte >= from && byte <= to)
            .map((byte) => `${match[1]}:${byte}`)
        }),
    )
  } catch {
    return new Set()
  }
}
