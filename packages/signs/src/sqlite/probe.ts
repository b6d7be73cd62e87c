import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { openSqliteForLock, type SqliteDatabase } from '@outgrow/databases'
import type { OutsideSample } from '../samples.ts'
import { runCanary } from './canary.ts'
import { readWal, walReaders } from './wal.ts'

export interface SqliteReadings extends OutsideSample {
  journalMode: string
  /** Processes that read one and the same state of the database all the while. Known on Linux only. */
  longReaders: number[]
  /** Pages that came to the WAL during the look, and pages that went from it into the file. */
  wrote: { frames: number; checkpointed: number } | null
  windowMs: number
}

export interface ProbeOptions {
  windowMs: number
  signal?: AbortSignal | undefined
}

/**
 * Looks at a live file from outside for a while. Writes nothing; takes the write lock for microseconds at a time, where
 * the file may be written to.
 * @param reader a connection for reading only, open before and after: were another the last to close, it would checkpoint
 */
export async function probeSqlite(
  path: string,
  reader: SqliteDatabase,
  { windowMs, signal }: ProbeOptions,
): Promise<SqliteReadings> {
  // Looked at often: whoever is there each time never let go.
  let readers: Set<string> | undefined
  const watch = setInterval(() => {
    const now = walReaders(path)
    readers = new Set([...(readers ?? now)].filter((one) => now.has(one)))
  }, 50)
  try {
    const before = readWal(reader)
    const lock = mayWrite(path) ? await probeWriteLock(path, { windowMs, signal }) : null
    const after = readWal(reader)
    return {
      kind: 'outside',
      sizeBytes: statSync(path).size,
      walBytes: existsSync(`${path}-wal`) ? statSync(`${path}-wal`).size : 0,
      lagPages: after ? after.frames - after.checkpointed : null,
      pageBytes: Number(reader.pragma('page_size', { simple: true })),
      lock,
      journalMode: String(reader.pragma('journal_mode', { simple: true })),
      longReaders: [...new Set([...(readers ?? [])].map((one) => Number(one.split(':')[0])))].filter(
        (pid) => pid !== process.pid,
      ),
      wrote:
        before && after
          ? {
              frames: Math.max(0, after.frames - before.frames),
              checkpointed: Math.max(0, after.checkpointed - before.checkpointed),
            }
          : null,
      windowMs,
    }
  } finally {
    clearInterval(watch)
  }
}

async function probeWriteLock(path: string, options: ProbeOptions): ReturnType<typeof runCanary> {
  const database = openSqliteForLock(path, 0)
  try {
    return await runCanary(database, options)
  } finally {
    database.close()
  }
}

/** Without the right to write, SQLite begins a transaction and takes no lock: nothing could be told from that. */
function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
