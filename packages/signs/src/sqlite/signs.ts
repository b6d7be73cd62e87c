import { judged, type Sign, type Threshold } from '../level.ts'
import type { InsideSummary } from '../summary.ts'
import { dayOfSize, growthPerDay, type Size } from './growth.ts'
import { worstWait } from '../waits.ts'
import type { SqliteReadings } from './probe.ts'

/** The size at which backups, copies and VACUUM of a single file take too long to be done in passing. */
const ceilingBytes = 1e9
const dayMs = 86_400_000
/** A file that grows to the ceiling within these days is watched from now on. */
export const soonDays = 30

/** Where each sign of an SQLite file begins to matter. Alerts take their limits from here. */
export const sqliteThresholds = {
  'lock-wait': {
    watch: 100,
    plan: 500,
    graduate: 2000,
    unit: 'ms',
    source: 'people notice 100 ms; Prisma stops waiting to start a transaction after 2 s (maxWait)',
  },
  'busy-errors': {
    watch: 60,
    plan: 600,
    unit: 'per minute',
    source: 'each is an attempt that found another process writing; one per second is contention, not chance',
  },
  'write-duty': {
    watch: 0.3,
    plan: 0.5,
    graduate: 0.75,
    unit: 'share',
    source:
      'single-server queue: the mean wait is ρ/(1−ρ) times a write, so 0.4, 1 and 3 times as long as the write',
  },
  'checkpoint-lag': {
    watch: 4000,
    plan: 25_000,
    unit: 'pages',
    source:
      'SQLite checkpoints by itself at 1,000 pages (wal_autocheckpoint); reads slow down as the WAL grows',
  },
  'file-size': {
    watch: ceilingBytes / 2,
    plan: ceilingBytes,
    unit: 'bytes',
    source: 'at about 1 GB, backing up, copying and vacuuming a single file are no longer quick tasks',
  },
  journal: {
    watch: 1,
    unit: 'count',
    source: 'SQLite: in any other journal mode a reader blocks the writer and the writer blocks readers',
  },
} satisfies Record<string, Threshold>

const moveAdvice =
  'Shorten transactions and move calls to other services out of them; if it persists, run outgrow migrate.'
const notMeasured = 'not measured: no permission to write to the file'

/** Judges an SQLite database by a look from outside, what its processes counted, and how it grew. */
export function sqliteSigns(
  readings: SqliteReadings,
  inside: InsideSummary | undefined,
  sizes: readonly Size[],
  now = Date.now(),
): Sign[] {
  return [
    lockWait(readings, inside),
    busyErrors(inside),
    writeDuty(readings, inside),
    ...(readings.lagPages === null ? [] : [checkpointLag(readings, readings.lagPages)]),
    fileSize(readings, growthPerDay(sizes), now),
    ...(readings.journalMode === 'wal' ? [] : [journal(readings.journalMode)]),
  ]
}

function lockWait({ lock }: SqliteReadings, inside: InsideSummary | undefined): Sign {
  const p50 = worstWait(0.5, lock?.waits, inside?.waitP50Ms)
  const p99 = worstWait(0.99, lock?.waits, inside?.waitP99Ms)
  const shown = (ms: number | null) => (ms === null || ms <= 1 ? 'under 1 ms' : `${Math.round(ms)} ms`)
  return judged('lock-wait', sqliteThresholds['lock-wait'], {
    title: 'Wait for the write lock',
    value: p99,
    text: p99 === null ? notMeasured : `p50 ${shown(p50)}, p99 ${shown(p99)}`,
    advice: moveAdvice,
  })
}

/** Only the application's own: how often a look from outside met the lock is the duty cycle. */
function busyErrors(inside: InsideSummary | undefined): Sign {
  const rates = Object.entries(inside?.busyPerMinute ?? {})
  const total = rates.reduce((sum, [, rate]) => sum + rate, 0)
  const shown = (rate: number) => rate.toFixed(rate > 0 && rate < 10 ? 1 : 0)
  const byCode = rates.map(([code, rate]) => `${code} ${shown(rate)}`).join(', ')
  return judged('busy-errors', sqliteThresholds['busy-errors'], {
    title: 'Busy errors',
    value: inside ? total : null,
    text: inside
      ? `${shown(total)} per minute${byCode === '' ? '' : `: ${byCode}`}`
      : 'not counted: no process records them',
    advice:
      'Let one process write, or begin transactions with BEGIN IMMEDIATE and wait outside the driver, as this client does.',
  })
}

function writeDuty({ lock }: SqliteReadings, inside: InsideSummary | undefined): Sign {
  const shares = [lock && lock.probes > 0 ? lock.busy / lock.probes : undefined, inside?.duty]
  const known = shares.filter((one) => one !== undefined)
  const value = known.length === 0 ? null : Math.max(...known)
  return judged('write-duty', sqliteThresholds['write-duty'], {
    title: 'Write duty cycle',
    value,
    text:
      value === null
        ? notMeasured
        : `a write is in progress ${(value * 100).toFixed(value > 0 && value < 0.1 ? 1 : 0)} % of the time`,
    advice: moveAdvice,
  })
}

function checkpointLag({ pageBytes, walBytes, longReaders, wrote }: SqliteReadings, lagPages: number): Sign {
  const threshold = sqliteThresholds['checkpoint-lag']
  const isStuck =
    wrote !== null && wrote.frames > 0 && wrote.checkpointed === 0 && lagPages >= threshold.watch
  const stuck = isStuck ? ', and none were checkpointed meanwhile' : ''
  const reader =
    isStuck && longReaders.length > 0
      ? `; process ${longReaders.join(', ')} reads an old state throughout`
      : ''
  return judged('checkpoint-lag', threshold, {
    title: 'Checkpoint lag',
    value: lagPages,
    text: `${lagPages.toLocaleString('en-US')} pages (${megabytes(lagPages * pageBytes)}) wait in a WAL of ${megabytes(walBytes)}${stuck}${reader}`,
    advice:
      'A reader that never ends keeps the WAL from being checkpointed: end its transaction, iterate in pages, close cursors.',
  })
}

function fileSize({ sizeBytes }: SqliteReadings, perDay: number | undefined, now: number): Sign {
  const day = dayOfSize(ceilingBytes, sizeBytes, perDay, now)
  const growth = perDay === undefined ? 'growth not known yet' : `${megabytes(perDay)} a day`
  const found = judged('file-size', sqliteThresholds['file-size'], {
    title: 'File size',
    value: sizeBytes,
    text: `${megabytes(sizeBytes)}, ${growth}${day ? `, 1 GB on ${day.toISOString().slice(0, 10)}` : ''}`,
    advice: 'Prune what is not needed and plan the move: outgrow inspect estimates how long it takes.',
  })
  const isSoon = day !== undefined && day.getTime() - now < soonDays * dayMs
  if (!isSoon || found.level !== 'fine') return found
  const advice = 'It will reach 1 GB within a month: outgrow inspect estimates how long a move takes.'
  return { ...found, level: 'watch', advice }
}

function journal(mode: string): Sign {
  return judged('journal', sqliteThresholds.journal, {
    title: 'Journal mode',
    value: 1,
    text: `${mode}, not WAL`,
    advice: 'Run PRAGMA journal_mode = WAL once: readers and the writer then no longer wait for each other.',
  })
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toLocaleString('en-US', { maximumFractionDigits: 1 })} MB`
}
