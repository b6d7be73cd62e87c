import { openSqliteReadonly, otherHosts, parseDatabaseUrl } from '@outgrow/databases'
import { backupSigns, type BackupReading } from './backup-signs.ts'
import { identityOf } from './identity.ts'
import { insideSigns, type Collisions } from './inside-signs.ts'
import { examineProvider, type ManagedBy } from './postgres/managed-by.ts'
import { verdictOf, type Level, type Sign } from './level.ts'
import { probePostgres, type PostgresReadings } from './postgres/readings.ts'
import { postgresSigns } from './postgres/signs.ts'
import type { Sample } from './samples.ts'
import type { SignStore } from './sign-store.ts'
import { probeSqlite, type SqliteReadings } from './sqlite/probe.ts'
import { sqliteSigns } from './sqlite/signs.ts'
import { summarize } from './summary.ts'

const recentMs = 10 * 60_000
const growthMs = 30 * 86_400_000

export interface ExamineOptions {
  url: string
  /** How long to look. */
  windowMs: number
  /** What the processes of the application counted; the look itself is added to it. */
  store?: SignStore | undefined
  /** Who looks, for the store. */
  process?: { name: string; run: string }
  /** How webhooks collide, where the database has the product's inbox. */
  collisions?: ((journalMode: string | undefined) => Promise<Collisions | undefined>) | undefined
  /** What is known of the database's backups; without it they have no signs. */
  backups?: ((provider: Examination['provider']) => Promise<BackupReading>) | undefined
  signal?: AbortSignal | undefined
}

/** A database, looked at and judged. */
export interface Examination {
  provider: 'sqlite' | 'postgres'
  /** Without user and password. */
  database: string
  at: string
  verdict: Level
  /** The signs that the verdict rests on. */
  reasons: string[]
  /** The signs that were not measured: the verdict says nothing of them. */
  unknown: string[]
  signs: Sign[]
  sqlite: SqliteReadings | null
  postgres: PostgresReadings | null
  /** Whose the Postgres is; null where that is not known. */
  managedBy: ManagedBy | null
}

/**
 * Looks at a database and judges what was seen.
 * @throws Failure OUTGROW_URL_INVALID, OUTGROW_SOURCE_NOT_FOUND, OUTGROW_SOURCE_NOT_SQLITE, OUTGROW_POSTGRES_UNREACHABLE
 */
export function examine(options: ExamineOptions): Promise<Examination> {
  const parsed = parseDatabaseUrl(options.url)
  return parsed.kind === 'postgres' ? examinePostgres(options) : examineSqlite(options, parsed.path)
}

async function examineSqlite(options: ExamineOptions, path: string): Promise<Examination> {
  // Open until all is done, the look at the inbox included: whoever writes and closes last would checkpoint.
  const reader = openSqliteReadonly(path)
  try {
    // Counted before the look: a write that met the look itself is no sign.
    const { inside, sizes } = history(options)
    const sqlite = await probeSqlite(path, reader, options)
    const { kind, sizeBytes, walBytes, lagPages, pageBytes, lock } = sqlite
    keep(options, { kind, sizeBytes, walBytes, lagPages, pageBytes, lock })
    const collisions = await options.collisions?.(sqlite.journalMode)
    const outside = await backupSignsOf(options, 'sqlite')
    const signs = [...sqliteSigns(sqlite, inside, sizes), ...insideSigns(inside, collisions), ...outside]
    return examined(options, signs, { provider: 'sqlite', sqlite, postgres: null, managedBy: null })
  } finally {
    reader.close()
  }
}

async function examinePostgres(options: ExamineOptions): Promise<Examination> {
  const postgres = await probePostgres(options.url, options)
  keep(options, {
    kind: 'postgres',
    sizeBytes: postgres.sizeBytes,
    connections: postgres.connections.used,
    lockWaitMs: postgres.lockWaits?.longestMs ?? null,
  })
  const { inside } = history(options)
  const collisions = await options.collisions?.(undefined)
  const signs = [
    ...postgresSigns(postgres, inside, otherHosts(options.url)),
    ...insideSigns(inside, collisions),
    ...(await backupSignsOf(options, 'postgres')),
  ]
  const managedBy = examineProvider(options.url, postgres.sizeBytes)
  return examined(options, signs, { provider: 'postgres', sqlite: null, postgres, managedBy })
}

async function backupSignsOf(
  { backups }: ExamineOptions,
  provider: Examination['provider'],
): Promise<Sign[]> {
  return backups ? backupSigns(await backups(provider)) : []
}

function keep({ url, store, process }: ExamineOptions, values: Sample['values']): void {
  if (store && process)
    store.add(identityOf(url), { at: Date.now(), process: process.name, run: process.run, values })
}

function history({ url, store }: ExamineOptions) {
  const [database, now] = [identityOf(url), Date.now()]
  return {
    inside: summarize(store?.since(database, now - recentMs) ?? []),
    sizes: store?.sizes(database, now - growthMs) ?? [],
  }
}

function examined(
  { url }: ExamineOptions,
  signs: Sign[],
  readings: Pick<Examination, 'provider' | 'sqlite' | 'postgres' | 'managedBy'>,
): Examination {
  const { level, reasons, unknown } = verdictOf(signs)
  return {
    database: identityOf(url),
    at: new Date().toISOString(),
    verdict: level,
    reasons: reasons.map(({ name }) => name),
    unknown: unknown.map(({ name }) => name),
    signs,
    ...readings,
  }
}
