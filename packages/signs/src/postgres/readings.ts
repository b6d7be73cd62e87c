import { setTimeout as sleep } from 'node:timers/promises'
import {
  examineConnection,
  parsePostgresUrl,
  withPlainPostgres,
  withPostgres,
  type ExaminedConnection,
  type PostgresClient,
} from '@outgrow/databases'
import { readEssentials, type PostgresEssentials } from './essentials.ts'
import { answersElsewhere, detectSharing, type Pooler } from './pooler.ts'
import { sql } from './sql.ts'

/** What is null the role may not see, or there is too little of it to tell. */
export interface PostgresReadings extends PostgresEssentials {
  version: string
  /** Sessions that hold a transaction open and do nothing, for more than a minute. */
  idleInTransaction: number | null
  /** The most sessions that waited for a lock at once, and the longest wait in ms, over the looks. */
  lockWaits: { sessions: number; longestMs: number } | null
  /** Blocks found in the server's memory, of all that were asked for. */
  cacheHit: number | null
  /** Tables of which a large part is rows that are gone. */
  bloated: { table: string; deadShare: number }[]
  /** Large indexes that answered no read of a table that is read much. */
  unusedIndexes: { index: string; sizeBytes: number }[]
  /** Foreign keys of large tables whose columns no index begins with. */
  unindexedForeignKeys: { table: string; constraint: string; columns: string }[]
  /** Slowest statements by mean time; null without pg_stat_statements. */
  slowest: { text: string; meanMs: number; calls: number }[] | null
  /** The zone that a session gets which asks for none. */
  timeZone: string
  /** How this connection is secured. */
  connection: ExaminedConnection
  /** What stands between; `unknown` when no second connection was to be had. */
  pooler: Pooler
}

/** Fewer blocks say nothing about the memory. */
const leastBlocks = 1_000_000

/**
 * Looks at a Postgres database for a while, through its own statistics. Nothing is set on a pooler's sessions.
 * @throws Failure OUTGROW_POSTGRES_UNREACHABLE, OUTGROW_URL_INVALID
 */
export async function probePostgres(
  url: string,
  { windowMs, signal }: { windowMs: number; signal?: AbortSignal | undefined },
): Promise<PostgresReadings> {
  const target = parsePostgresUrl(url)
  const sharing = await detectSharing(target)
  const connected = sharing === 'transaction' ? withPlainPostgres : withPostgres
  return connected(target, async (client) => {
    const rows = async <Row>(text: string) => (await client.query(text)).rows as Row[]
    type Basics = {
      version: string
      idle: number
      zone: string
      sees_all: boolean
    }
    const [basics] = (await rows<Basics>(sql.basics)) as [Basics]
    const [cache] = await rows<{ hit: number; asked: number }>(sql.cache)
    const bloated = await rows<{ table: string; share: number }>(sql.bloat)
    const unused = await rows<{ index: string; size: number }>(sql.unused)
    return {
      version: basics.version,
      ...(await readEssentials(client)),
      idleInTransaction: basics.sees_all ? basics.idle : null,
      lockWaits: basics.sees_all ? await watchLocks(client, windowMs, signal) : null,
      cacheHit: cache && cache.asked > leastBlocks ? cache.hit / cache.asked : null,
      bloated: bloated.map(({ table, share }) => ({ table, deadShare: share })),
      unusedIndexes: unused.map(({ index, size }) => ({ index, sizeBytes: size })),
      unindexedForeignKeys: await rows<PostgresReadings['unindexedForeignKeys'][number]>(sql.foreignKeys),
      slowest: await slowestStatements(client),
      timeZone: basics.zone,
      connection: examineConnection(client, url),
      pooler: sharing === 'none' && (await answersElsewhere(target, client)) ? 'other-port' : sharing,
    }
  })
}

async function watchLocks(
  client: PostgresClient,
  windowMs: number,
  signal: AbortSignal | undefined,
): Promise<NonNullable<PostgresReadings['lockWaits']>> {
  const seen = { sessions: 0, longestMs: 0 }
  const ends = performance.now() + windowMs
  const isOver = () => performance.now() >= ends || signal?.aborted === true
  do {
    const { rows } = await client.query<{ sessions: number; ms: number }>(sql.lockWaits)
    seen.sessions = Math.max(seen.sessions, rows[0]?.sessions ?? 0)
    seen.longestMs = Math.max(seen.longestMs, rows[0]?.ms ?? 0)
    await sleep(100)
  } while (!isOver())
  return seen
}

async function slowestStatements(client: PostgresClient): Promise<PostgresReadings['slowest']> {
  const { rowCount } = await client.query("SELECT FROM pg_extension WHERE extname = 'pg_stat_statements'")
  if (rowCount === 0) return null
  try {
    const { rows } = await client.query<{ text: string; ms: number; calls: number }>(sql.statements)
    return rows.map(({ text, ms, calls }) => ({ text, meanMs: ms, calls }))
  } catch {
    return null // installed, but not preloaded, or in a schema that is out of sight
  }
}
