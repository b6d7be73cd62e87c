import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { connectionAttempts } from '../postgres.ts'
import { isTlsRefusal } from '../tls.ts'
import type { PostgresUrl } from '../url.ts'
import { endOfLastRecord, parseLsn, type WalPosition } from './wal-position.ts'

/** What one server says of its write-ahead log. */
export interface WalState extends WalPosition {
  /** Whether it replays what another server writes. */
  isStandby: boolean
  /** When it was started: tells servers behind one address from each other, and one from itself after a restart. */
  startedAt: string
  /** The server's clock, and the commit that a standby has replayed last, in ms since 1970. */
  nowMs: number
  lastCommitMs: number | undefined
}

interface Row {
  standby: boolean
  lsn: string | null
  timeline: number | null
  system: string | null
  started: string
  page: number
  segment: number
  now: number
  committed: number | null
}

/**
 * `received_tli` is only shown to who may read all statistics; the control file follows with the next restart point. The
 * insert position and not the flushed one: with `synchronous_commit = off` the latter is behind a commit that was
 * acknowledged.
 */
const walStateSql = `
SELECT pg_is_in_recovery() AS standby,
  CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text AS lsn,
  CASE WHEN pg_is_in_recovery()
    THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver), (SELECT timeline_id FROM pg_control_checkpoint()))
    ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int END AS timeline,
  (SELECT system_identifier FROM pg_control_system())::text AS system,
  extract(epoch FROM pg_postmaster_start_time())::text AS started,
  current_setting('wal_block_size')::int AS page,
  pg_size_bytes(current_setting('wal_segment_size'))::float8 AS segment,
  (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now,
  (extract(epoch FROM pg_last_xact_replay_timestamp()) * 1000)::float8 AS committed`

/** @throws what the driver throws, and an Error where the server does not say where its log is */
export async function readWalState(client: {
  query(sql: string): Promise<{ rows: unknown[] }>
}): Promise<WalState> {
  const row = (await client.query(walStateSql)).rows[0] as Row | undefined
  if (!row || row.lsn === null || row.timeline === null || row.system === null)
    throw new Error('the server does not say where its write-ahead log is')
  const lsn = parseLsn(row.lsn)
  return {
    isStandby: row.standby,
    lsn: row.standby ? lsn : endOfLastRecord(lsn, row.page, row.segment),
    timeline: row.timeline,
    system: row.system,
    startedAt: row.started,
    nowMs: row.now,
    lastCommitMs: row.committed ?? undefined,
  }
}

/**
 * One connection that asks a server where its log is, made when it is needed and again after it was lost. It keeps no
 * process alive, and sets nothing: a pooler may hand its session to others.
 */
export class WalServer {
  readonly #url: PostgresUrl
  readonly #timeoutMs: number
  #connection: Promise<Client> | undefined
  #asking: Promise<WalState> | undefined
  #next: Promise<WalState> | undefined
  #isClosed = false

  constructor(url: PostgresUrl, timeoutMs: number) {
    this.#url = url
    this.#timeoutMs = timeoutMs
  }

  /**
   * The state at some moment after the call. Who asks while a question is under way shares the next one.
   * @throws what the driver throws
   */
  read(): Promise<WalState> {
    if (this.#next) return this.#next
    if (!this.#asking) return this.#start()
    const next = this.#asking
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        return this.#start()
      })
    this.#next = next
    return next
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#drop()
  }

  #start(): Promise<WalState> {
    const asking = this.#ask().finally(() => {
      if (this.#asking === asking) this.#asking = undefined
    })
    this.#asking = asking
    return asking
  }

  async #ask(): Promise<WalState> {
    const limit = new AbortController()
    try {
      return await Promise.race([this.#readAgain(limit.signal), this.#expired(limit.signal)])
    } catch (error) {
      // One that is still being made is not waited for.
      void this.#drop().catch(() => {})
      throw error
    } finally {
      limit.abort()
    }
  }

  /** A connection that was kept may have been closed while it idled: then another one asks. */
  async #readAgain(limit: AbortSignal): Promise<WalState> {
    const kept = this.#connection
    try {
      return await this.#read()
    } catch (error) {
      if (!kept || limit.aborted || this.#isClosed) throw error
      await this.#drop()
      return this.#read()
    }
  }

  async #read(): Promise<WalState> {
    const client = await (this.#connection ??= this.#connect())
    const { stream } = client.connection as unknown as { stream: Socket }
    stream.ref()
    try {
      return await readWalState(client)
    } finally {
      stream.unref()
    }
  }

  async #expired(signal: AbortSignal): Promise<never> {
    await sleep(this.#timeoutMs, undefined, { signal, ref: false })
    throw new Error(`the server did not answer within ${this.#timeoutMs} ms`)
  }

  async #connect(): Promise<Client> {
    let failure: unknown
    for (const attempt of connectionAttempts(this.#url)) {
      const client = new attempt.Client({ ...attempt, connectionTimeoutMillis: this.#timeoutMs })
      client.on('error', () => {}) // the question that finds the connection gone reports it
      try {
        await client.connect()
        if (!this.#isClosed) return client
        failure = new Error('the database was closed meanwhile')
      } catch (error) {
        failure = error
      }
      await client.end().catch(() => {})
      if (!isTlsRefusal(failure)) break
    }
    throw failure
  }

  /** Without a farewell: a server that does not answer would not answer that either. */
  async #drop(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    const client = await connection?.catch(() => undefined) // it was never made
    if (!client) return
    const ended = client.end()
    ;(client.connection as unknown as { stream: Socket }).stream.destroy()
    await ended
  }
}
