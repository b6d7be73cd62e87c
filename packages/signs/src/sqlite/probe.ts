import { existsSync, statSync } from 'node:fs'
import { openSqliteForLock, openSqliteReadonly } from '@outgrow/databases'
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
 * Looks at a live file from outside for a while. Writes nothing; takes the write lock for microseconds at a time.
 * @throws Failure OUTGROW_SOURCE_NOT_FOUND, OUTGROW_SOURCE_NOT_SQLITE
 */
export async function probeSqlite(path: string, { windowMs, signal }: ProbeOptions): Promise<SqliteReadings> {
  openSqliteReadonly(path).close() // refuses what is no database, with the reason
  const database = openSqliteForLock(path, 0)
  // Looked at often: whoever is there each time never let go.
  let readers: Set<string> | undefined
  const watch = setInterval(() => {
    const now = walReaders(path)
    readers = new Set([...(readers ?? now)].filter((reader) => now.has(reader)))
  }, 50)
  try {
    database.pragma('wal_autocheckpoint = 0')
    const before = readWal(database)
    const lock = await runCanary(database, { windowMs, signal })
    const after = readWal(database)
    return {
      kind: 'outside',
      sizeBytes: statSync(path).size,
      walBytes: existsSync(`${path}-wal`) ? statSync(`${path}-wal`).size : 0,
      lagPages: after ? after.frames - after.checkpointed : null,
      pageBytes: Number(database.pragma('page_size', { simple: true })),
      lock,
      journalMode: String(database.pragma('journal_mode', { simple: true })),
      longReaders: [...new Set([...(readers ?? [])].map((reader) => Number(reader.split(':')[0])))].filter(
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
    database.close()
  }
}
