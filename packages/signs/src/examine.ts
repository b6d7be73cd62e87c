import { parseDatabaseUrl } from '@outgrow/databases'
import { identityOf } from './identity.ts'
import { verdictOf, type Level, type Sign } from './level.ts'
import { probePostgres, type PostgresReadings } from './postgres/readings.ts'
import { postgresSigns } from './postgres/signs.ts'
import type { Sample } from './samples.ts'
import type { SignStore } from './sign-store.ts'
import { probeSqlite, type SqliteReadings } from './sqlite/probe.ts'
import { sqliteSigns, type Collisions } from './sqlite/signs.ts'

const minuteMs = 60_000
const dayMs = 86_400_000

export interface ExamineOptions {
  url: string
  /** How long to look. */
  windowMs: number
  /** What the processes of the application counted; the look itself is added to it. */
  store?: SignStore | undefined
  /** Who looks, for the store. */
  process?: { name: string; run: string }
  /** How webhooks collide, where the database has the product's inbox. */
  collisions?: ((readings: SqliteReadings) => Promise<Collisions | undefined>) | undefined
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
  signs: Sign[]
  sqlite: SqliteReadings | null
  postgres: PostgresReadings | null
}

/**
 * Looks at a database and judges what was seen.
 * @throws Failure OUTGROW_URL_INVALID, OUTGROW_SOURCE_NOT_FOUND, OUTGROW_SOURCE_NOT_SQLITE, OUTGROW_POSTGRES_UNREACHABLE
 */
export async function examine(options: ExamineOptions): Promise<Examination> {
  const { url, windowMs, store, signal } = options
  const parsed = parseDatabaseUrl(url)
  const database = identityOf(url)
  const keep = (values: Sample['values']) => {
    if (!store || !options.process) return
    const { name, run } = options.process
    store.add(database, { at: Date.now(), process: name, run, values })
  }
  if (parsed.kind === 'postgres') {
    const postgres = await probePostgres(url, { windowMs, signal })
    keep({
      kind: 'postgres',
      sizeBytes: postgres.sizeBytes,
      connections: postgres.connections.used,
      lockWaitMs: postgres.lockWaits.longestMs,
    })
    return examined('postgres', database, postgresSigns(postgres), { sqlite: null, postgres })
  }
  const sqlite = await probeSqlite(parsed.path, { windowMs, signal })
  const now = Date.now()
  const { kind, sizeBytes, walBytes, lagPages, pageBytes, lock } = sqlite
  keep({ kind, sizeBytes, walBytes, lagPages, pageBytes, lock })
  const long = store?.since(database, now - 30 * dayMs) ?? []
  const recent = long.filter(({ at }) => at >= now - 10 * minuteMs)
  const collisions = await options.collisions?.(sqlite)
  return examined('sqlite', database, sqliteSigns(sqlite, { recent, long, collisions }, now), {
    sqlite,
    postgres: null,
  })
}

function examined(
  provider: Examination['provider'],
  database: string,
  signs: Sign[],
  readings: Pick<Examination, 'sqlite' | 'postgres'>,
): Examination {
  const { level, reasons } = verdictOf(signs)
  return {
    provider,
    database,
    at: new Date().toISOString(),
    verdict: level,
    reasons: reasons.map(({ name }) => name),
    signs,
    ...readings,
  }
}
