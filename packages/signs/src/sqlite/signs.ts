import { quantileMs } from '@outgrow/databases'
import { levelOf, type Sign, type Threshold } from '../level.ts'
import type { Sample } from '../samples.ts'
import { dayOfSize, growthPerDay } from './growth.ts'
import type { SqliteReadings } from './probe.ts'
import { summarise } from './summary.ts'

/** The size at which backups, copies and VACUUM of a single file take too long to be done in passing. */
const ceilingBytes = 1e9

const thresholds = {
  'lock-wait': {
    watch: 100,
    plan: 500,
    graduate: 2000,
    unit: 'ms',
    source: 'people notice 100 ms; Prisma gives up the start of a transaction after 2 s (maxWait)',
  },
  'busy-errors': {
    watch: 60,
    plan: 600,
    unit: 'per minute',
    source: 'each is an attempt that found another process writing; one a second is contention, not chance',
  },
  'write-duty': {
    watch: 0.3,
    plan: 0.5,
    graduate: 0.75,
    unit: 'share',
    source:
      'one server’s queue: the mean wait is ρ/(1−ρ) of a write, so 0.4, 1 and 3 times as long as the write',
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
    source: 'about 1 GB a single file’s backup, copy and VACUUM stop being something done in passing',
  },
  'event-loop': {
    watch: 50,
    plan: 200,
    unit: 'ms',
    source: 'Node’s guidance: a loop that lags tens of milliseconds makes every request wait',
  },
  webhooks: {
    watch: 60,
    plan: 600,
    unit: 'per minute',
    source: 'each webhook is a write, and Stripe sends those of one renewal within milliseconds',
  },
  journal: {
    watch: 1,
    unit: 'count',
    source: 'SQLite: in any other journal mode a reader blocks the writer and the writer blocks readers',
  },
} satisfies Record<string, Threshold>

/** Webhooks that arrived within a second of another of the same customer. */
export interface Collisions {
  /** The most in one minute. */
  mostPerMinute: number
}

/** Judges an SQLite database by a look from outside, what its processes counted, and how it grew. */
export function sqliteSigns(
  readings: SqliteReadings,
  history: { recent: readonly Sample[]; long: readonly Sample[]; collisions?: Collisions | undefined },
  now = Date.now(),
): Sign[] {
  const inside = summarise(history.recent)
  return [
    lockWait(readings, inside?.waitP99Ms ?? null, inside?.waitP50Ms ?? null),
    busyErrors(readings, inside),
    writeDuty(readings, inside?.duty),
    checkpointLag(readings),
    fileSize(readings, growthPerDay(history.long), now),
    eventLoop(inside?.eventLoopP99Ms ?? null),
    ...(history.collisions ? [webhooks(history.collisions)] : []),
    ...(readings.journalMode === 'wal' ? [] : [journal(readings.journalMode)]),
  ]
}

function sign(
  name: keyof typeof thresholds,
  title: string,
  value: number | null,
  text: string,
  advice: string,
): Sign {
  const threshold: Threshold = thresholds[name]
  const level = levelOf(value, threshold)
  return { name, title, level, value, text, threshold, advice: level === 'fine' ? '' : advice }
}

const moveAdvice =
  'Shorten transactions and take calls to other services out of them; when it stays, outgrow migrate.'

function lockWait({ lock }: SqliteReadings, insideP99: number | null, insideP50: number | null): Sign {
  const outside = lock ? { p50: quantileMs(lock.waits, 0.5), p99: quantileMs(lock.waits, 0.99) } : {}
  const value = Math.max(outside.p99 ?? -1, insideP99 ?? -1)
  const p50 = Math.max(outside.p50 ?? 0, insideP50 ?? 0)
  const shown = (ms: number) => (ms <= 1 ? 'under 1 ms' : `${Math.round(ms)} ms`)
  return sign(
    'lock-wait',
    'Wait for the write lock',
    value < 0 ? null : value,
    value < 0 ? 'not measured' : `p50 ${shown(p50)}, p99 ${shown(value)}`,
    moveAdvice,
  )
}

function busyErrors({ lock, windowMs }: SqliteReadings, inside: ReturnType<typeof summarise>): Sign {
  const counted = Object.values(inside?.busyByCode ?? {}).reduce((sum, count) => sum + count, 0)
  const perMinute = inside ? counted / (inside.spanMs / 60_000) : null
  // A look is no write of the application: how often it met the lock speaks only where nobody counts.
  const seen = lock && windowMs > 0 ? lock.busy / (windowMs / 60_000) : null
  const value = perMinute ?? seen
  const codes = Object.entries(inside?.busyByCode ?? {}).map(([code, count]) => `${code} ${count}`)
  return sign(
    'busy-errors',
    'Busy errors',
    value,
    value === null
      ? 'not measured'
      : `${value.toFixed(value < 10 ? 1 : 0)} a minute${codes.length > 0 ? `: ${codes.join(', ')}` : perMinute === null ? ', as the looks from outside met them' : ''}`,
    'Let one process write, or begin transactions with BEGIN IMMEDIATE and wait outside of the driver, as the client here does.',
  )
}

function writeDuty({ lock }: SqliteReadings, inside: number | undefined): Sign {
  const outside = lock && lock.probes > 0 ? lock.busy / lock.probes : undefined
  const value = Math.max(outside ?? -1, inside ?? -1)
  return sign(
    'write-duty',
    'Write duty cycle',
    value < 0 ? null : value,
    value < 0
      ? 'not measured'
      : `somebody writes ${(value * 100).toFixed(value < 0.1 ? 1 : 0)} % of the time`,
    moveAdvice,
  )
}

function checkpointLag({ lagPages, pageBytes, walBytes, longReaders, wrote }: SqliteReadings): Sign {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
  const stuck =
    wrote !== null &&
    wrote.frames > 0 &&
    wrote.checkpointed === 0 &&
    (lagPages ?? 0) >= thresholds['checkpoint-lag'].watch
  return sign(
    'checkpoint-lag',
    'Checkpoint lag',
    lagPages,
    lagPages === null
      ? 'no WAL in this journal mode'
      : `${lagPages.toLocaleString('en-US')} pages (${megabytes(lagPages * pageBytes)}) wait in a WAL of ${megabytes(walBytes)}${stuck ? ', and none went into the file meanwhile' : ''}${stuck && longReaders.length > 0 ? `; process ${longReaders.join(', ')} reads an old state all the while` : ''}`,
    'A reader that never ends keeps the WAL from being checkpointed: end its transaction, iterate in pages, close cursors.',
  )
}

function fileSize({ sizeBytes }: SqliteReadings, perDay: number | undefined, now: number): Sign {
  const megabytes = (bytes: number) =>
    `${(bytes / 1e6).toLocaleString('en-US', { maximumFractionDigits: 1 })} MB`
  const day = dayOfSize(ceilingBytes, sizeBytes, perDay, now)
  const growth = perDay === undefined ? 'growth not known yet' : `${megabytes(perDay)} a day`
  const found = sign(
    'file-size',
    'File size',
    sizeBytes,
    `${megabytes(sizeBytes)}, ${growth}${day ? `, 1 GB on ${day.toISOString().slice(0, 10)}` : ''}`,
    'Prune what is not needed and plan the move: outgrow inspect tells how long it takes.',
  )
  const soon = day !== undefined && day.getTime() - now < 30 * 86_400_000
  return soon && found.level === 'fine'
    ? {
        ...found,
        level: 'watch',
        advice: 'It reaches 1 GB within a month: outgrow inspect tells how long a move takes.',
      }
    : found
}

function eventLoop(p99: number | null): Sign {
  return sign(
    'event-loop',
    'Event loop delay',
    p99,
    p99 === null ? 'not recorded' : `p99 ${p99.toFixed(0)} ms`,
    'SQLite works within the process: look for large reads and long loops, and give the worker a process of its own.',
  )
}

function webhooks({ mostPerMinute }: Collisions): Sign {
  return sign(
    'webhooks',
    'Colliding webhooks',
    mostPerMinute,
    `${mostPerMinute} in the busiest minute of the day within a second of another of the same customer`,
    'Store first and work later, as the inbox here does; a burst then only waits in the queue.',
  )
}

function journal(mode: string): Sign {
  return sign(
    'journal',
    'Journal mode',
    1,
    `${mode}, not WAL`,
    'PRAGMA journal_mode = WAL, once: readers and the writer then no longer wait for each other.',
  )
}
