import type { SqliteDatabase } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { captureTable, logTable } from './captured-table.ts'

/** The log of changed keys, as it is in the caller's transaction. */
export interface LogState {
  /** Number of the newest entry; entries are numbered in the order of their commits, without gaps. */
  newest: number
  /** Up to which the target has applied them, as `pruneLog` was last given it. */
  applied: number
  /** The log is full when its newest entry has this number. */
  limit: number
  /** Changes were dropped: what was copied is worth nothing, and capture must begin again. */
  overflowed: boolean
  /** How many are stored: at least one, which keeps numbers from being used again. */
  entries: number
}

/** Reads it in a few lookups, whatever the log's size. */
export function readLogState(database: SqliteDatabase): LogState {
  const row = database
    .prepare(
      `SELECT (SELECT max(seq) FROM main.${logTable}) AS newest, (SELECT min(seq) FROM main.${logTable}) AS oldest,
              applied_seq AS applied, limit_seq AS "limit" FROM main.${captureTable}`,
    )
    .get() as { newest: number; oldest: number; applied: number; limit: number }
  const { newest, oldest, applied, limit } = row
  return { newest, applied, limit, overflowed: newest >= limit, entries: newest - oldest + 1 }
}

/**
 * Records up to which entry the target has applied the log, which makes room for new ones, and deletes the oldest of those
 * applied. One short transaction, which waits for the write lock as the connection does; to be called until it deletes less
 * than it may.
 * @param atMost entries
 * @returns how many were deleted
 * @throws Failure OUTGROW_CAPTURE_OVERFLOWED
 */
export function pruneLog(database: SqliteDatabase, applied: number, atMost: number): number {
  const prune = database.transaction(() => {
    const { newest, entries, overflowed } = readLogState(database)
    if (overflowed) throw captureOverflowed(newest)
    database
      .prepare(
        `UPDATE main.${captureTable} SET applied_seq = max(applied_seq, ?), limit_seq = max(limit_seq, ? + max_log)`,
      )
      .run(applied, applied)
    const oldest = newest - entries + 1
    return database
      .prepare(`DELETE FROM main.${logTable} WHERE seq <= ?`)
      .run(Math.min(applied, newest - 1, oldest + atMost - 1)).changes
  })
  return prune.immediate()
}

export function captureOverflowed(newest: number): Failure {
  return new Failure({
    code: 'OUTGROW_CAPTURE_OVERFLOWED',
    message: `The log of changes is full at entry ${newest}: changes after it were not logged.`,
    why: 'Nobody applied the log for a long time, and it must not fill the disk of the application.',
    fix: 'Begin the graduation again, with a larger log or fewer writes meanwhile.',
  })
}

/** The target was restored or failed over: what it misses is no longer in the log. */
export function targetFellBehind(target: number, log: number): Failure {
  return new Failure({
    code: 'OUTGROW_CAPTURE_OVERFLOWED',
    message: `The target has the changes up to entry ${target}, and had them up to ${log}.`,
    why: 'A backup of it was restored, or a replica that was behind took its place. The log no longer has the entries between.',
    fix: 'Begin the graduation again.',
  })
}
