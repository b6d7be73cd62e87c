import { existsSync, statSync } from 'node:fs'
import { openSqliteReadonly } from '@outgrow/databases'
import type { OutsideSample } from '../samples.ts'
import { runCanary } from './canary.ts'
import { readWalIndex } from './wal-index.ts'

export interface SqliteReadings extends OutsideSample {
  journalMode: string
  /** A process that read the same old state at the start and at the end of the look. */
  longReaders: { pid: number; frame: number }[]
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
  const reader = openSqliteReadonly(path)
  const journalMode = String(reader.pragma('journal_mode', { simple: true }))
  const pageBytes = Number(reader.pragma('page_size', { simple: true }))
  reader.close()
  const before = readWalIndex(path)
  const lock = await runCanary(path, { windowMs, signal })
  const after = readWalIndex(path)
  const frames = after?.frames ?? 0
  return {
    kind: 'outside',
    sizeBytes: statSync(path).size,
    walBytes: existsSync(`${path}-wal`) ? statSync(`${path}-wal`).size : 0,
    lagPages: after ? frames - after.checkpointed : null,
    pageBytes,
    lock,
    journalMode,
    longReaders: (after?.readers ?? []).filter(
      ({ pid, frame }) =>
        pid !== process.pid &&
        frame < frames &&
        (before?.readers ?? []).some((known) => known.pid === pid && known.frame === frame),
    ),
    wrote:
      before && after
        ? {
            frames: Math.max(0, frames - before.frames),
            checkpointed: Math.max(0, after.checkpointed - before.checkpointed),
          }
        : null,
    windowMs,
  }
}
