import { withPlainPostgres, type PostgresClient } from '@outgrow/databases'
import { sql } from './sql.ts'

/** What decides whether a Postgres server goes on working. What is null the role may not see. */
export interface PostgresEssentials {
  sizeBytes: number
  /** Of the whole server; `limit` is what is left of max_connections for those who are not superusers. */
  connections: { used: number; limit: number }
  /** For how long the oldest open transaction of any client has been open. */
  oldestTransactionMs: number | null
  /** Transactions since the oldest row that is not frozen, in any database: at some two billion the server stops. */
  wraparoundAge: number
  /** Since the statistics were reset. */
  deadlocks: number
  archiver: {
    archived: number
    failed: number
    /** Whether the latest attempt to archive a file of the log failed. */
    isFailing: boolean
    /** Whether nothing was archived for ten minutes, though more than three segments wait. */
    isBehind: boolean
  }
  /** Standbys that are connected; empty where there are none. */
  replicas: { name: string; state: string; lagBytes: number; lagMs: number }[] | null
  /** What the server keeps of its log for each slot, connected or not. */
  slots: { name: string; isActive: boolean; retainedBytes: number }[]
}

/** The statements are short, or the server is in trouble. */
const limitMs = 10_000

/**
 * Asks a server for its essentials, in three short statements.
 * @throws Failure OUTGROW_POSTGRES_UNREACHABLE, OUTGROW_URL_INVALID
 */
export function postgresEssentials(url: string): Promise<PostgresEssentials> {
  return withPlainPostgres(url, readEssentials, AbortSignal.timeout(limitMs))
}

interface Row {
  size: number
  used: number
  limit: number
  sees_all: boolean
  oldest_ms: number
  age: number
  deadlocks: number
  archived: number
  failed: number
  failing: boolean
  behind: boolean
}

/** @param archiveLateSeconds how long nothing may be archived while the log moves on */
export async function readEssentials(
  client: PostgresClient,
  archiveLateSeconds = 600,
): Promise<PostgresEssentials> {
  const rows = async <Row>(text: string, values?: unknown[]) =>
    (await client.query(text, values)).rows as Row[]
  const [row] = (await rows<Row>(sql.essentials, [archiveLateSeconds])) as [Row]
  type Replica = NonNullable<PostgresEssentials['replicas']>[number]
  return {
    sizeBytes: row.size,
    connections: { used: row.used, limit: row.limit },
    oldestTransactionMs: row.sees_all ? row.oldest_ms : null,
    wraparoundAge: row.age,
    deadlocks: row.deadlocks,
    archiver: { archived: row.archived, failed: row.failed, isFailing: row.failing, isBehind: row.behind },
    replicas: row.sees_all ? await rows<Replica>(sql.replicas) : null,
    slots: await rows<PostgresEssentials['slots'][number]>(sql.slots),
  }
}
