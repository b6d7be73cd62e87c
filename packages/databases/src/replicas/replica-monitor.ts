import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { messageOf } from '@outgrow/kit'
import { connectionAttempts } from '../postgres.ts'
import type { PostgresUrl } from '../url.ts'
import type { PrimaryWal } from './primary-wal.ts'
import type { ReplicaStatus } from './replica-counters.ts'
import { hasReached, isSameHistory, type WalPosition } from './wal-position.ts'
import { readWalState, WalServer, type WalState } from './wal-server.ts'

export interface ReplicaLimits {
  /** How long a server may take to say where its log is. */
  timeoutMs: number
  maxLagMs: number
  maxLagBytes: number
}

export interface ReplicaHooks {
  /**
   * Right before it comes into use. What it throws keeps the replica out.
   * @param isOther whether it is another server than before, or the same one started again: no connection may be kept
   */
  prepare(isOther: boolean): Promise<void>
  onChange(status: ReplicaStatus): void
}

/** Polls of a replica that somebody waits for, and of one that was waited for in vain. */
const pollMs = { waitedFor: 1, missed: 100 }

/** Whether one replica may be read from, and how far it has replayed. */
export class ReplicaMonitor {
  readonly url: PostgresUrl
  readonly name: string
  readonly #server: WalServer
  readonly #primary: PrimaryWal
  readonly #limits: ReplicaLimits
  readonly #hooks: ReplicaHooks
  readonly #waiting = new Set<{ wanted: WalPosition; end: (hasReached: boolean) => void }>()
  #state: WalState | undefined
  /** The server that its connections must lead to. */
  #watched: Pick<WalState, 'startedAt' | 'system'> | undefined
  #reason: string | undefined = 'it was not asked yet'
  #lag: { bytes: number; ms: number } | undefined
  #missed: WalPosition | undefined
  #isPolling = false
  /** How often it was taken out. */
  #outs = 0
  #isClosed = false
  reads = 0

  constructor(url: PostgresUrl, primary: PrimaryWal, limits: ReplicaLimits, hooks: ReplicaHooks) {
    this.url = url
    const [{ host, port, database } = {}] = connectionAttempts(url)
    this.name = `${host}:${port}/${database}`
    this.#server = new WalServer(url, limits.timeoutMs)
    this.#primary = primary
    this.#limits = limits
    this.#hooks = hooks
  }

  get isInUse(): boolean {
    return this.#reason === undefined
  }

  get status(): ReplicaStatus {
    return {
      name: this.name,
      isInUse: this.isInUse,
      reason: this.#reason,
      reads: this.reads,
      lagBytes: this.#lag?.bytes,
      lagMs: this.#lag?.ms,
    }
  }

  /** Looks at everything that decides whether it is in use. The primary was asked right before. */
  async look(): Promise<void> {
    const outs = this.#outs
    try {
      let state = await this.#judged()
      if (state && !this.isInUse) {
        const isOther = this.#watched?.startedAt !== state.startedAt
        this.#watched = state
        await this.#hooks.prepare(isOther)
        state = await this.#judged()
      }
      // What was found meanwhile may be newer than the answer.
      if (state && outs === this.#outs && state.startedAt === this.#watched?.startedAt)
        this.#set(undefined, state)
    } catch (error) {
      this.#lag = undefined
      this.takeOut(messageOf(error))
    }
  }

  /** Until the next look that finds nothing wrong. */
  takeOut(reason: string): void {
    this.#outs++
    this.#set(reason)
  }

  /** Whether it has surely replayed a position: what it has replayed never becomes less. */
  has(wanted: WalPosition): boolean {
    return this.#state !== undefined && hasReached(this.#state, wanted)
  }

  /** Whether waiting for a position makes sense: not while an earlier one is still missing, for which somebody has waited. */
  get mayCatchUp(): boolean {
    const [missed, state] = [this.#missed, this.#state]
    if (missed && state && (hasReached(state, missed) || !isSameHistory(state, missed)))
      this.#missed = undefined
    return this.#missed === undefined
  }

  /** Whether it has replayed a position within a time. */
  async wait(wanted: WalPosition, maxWaitMs: number): Promise<boolean> {
    if (!this.isInUse || this.has(wanted)) return this.isInUse
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const waiting = { wanted, end: resolve }
    this.#waiting.add(waiting)
    const timer = setTimeout(() => {
      this.#missed ??= wanted
      resolve(false)
    }, maxWaitMs)
    this.#poll()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(waiting)
    }
  }

  /**
   * For a pool's connections: each must lead to the server that is watched, and tells when that is promoted. A server says
   * so at the end of the statement that it answers then (PostgreSQL 14 and later).
   */
  readonly verify = async (client: PoolClient): Promise<void> => {
    client.on('error', () => {}) // nobody else listens yet; the query below reports it
    const { connection } = client as unknown as { connection: NodeJS.EventEmitter }
    connection.on('parameterStatus', (message: { parameterName: string; parameterValue: string }) => {
      if (message.parameterName === 'in_hot_standby' && message.parameterValue === 'off')
        this.takeOut(promoted)
    })
    const state = await readWalState(client)
    const isWatched = state.startedAt === this.#watched?.startedAt && state.system === this.#watched.system
    const problem = !state.isStandby ? promoted : isWatched ? undefined : otherServer
    if (problem === undefined) return
    this.takeOut(problem)
    throw new Error(problem)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#reason ??= 'it was closed'
    await this.#server.close()
  }

  /** Its state, where nothing speaks against using it; else it is out of use. */
  async #judged(): Promise<WalState | undefined> {
    const asked = performance.now()
    const state = await this.#server.read()
    this.#lag = undefined
    const isOther = this.isInUse && state.startedAt !== this.#watched?.startedAt
    const reason = isOther ? otherServer : this.#judge(state, asked)
    if (reason === undefined) return state
    this.takeOut(reason)
    return undefined
  }

  #judge(state: WalState, asked: number): string | undefined {
    const primary = this.#primary.last
    if (!state.isStandby) return promoted
    if (!primary) return 'the primary has not said where its log is'
    if (state.system !== primary.system) return 'it belongs to another cluster'
    if (state.timeline !== primary.timeline)
      return `it follows timeline ${state.timeline}, and the primary is on ${primary.timeline}`
    const bytes = Number(primary.lsn > state.lsn ? primary.lsn - state.lsn : 0n)
    const { ms, isKnown } = this.#primary.behindMs(state, asked)
    // A process that has just begun knows no past of the primary: then the last commit that the replica has tells, by the
    // primary's own clock.
    const told = isKnown || bytes === 0 ? 0 : primary.nowMs - (state.lastCommitMs ?? -Infinity)
    this.#lag = { bytes, ms: Math.max(0, ms, told) }
    if (bytes > this.#limits.maxLagBytes) return `it is ${bytes} bytes behind`
    if (this.#lag.ms > this.#limits.maxLagMs) return `it is ${Math.round(this.#lag.ms)} ms behind`
    return undefined
  }

  #set(reason: string | undefined, state?: WalState): void {
    if (this.#isClosed) return
    const wasInUse = this.isInUse
    const before = this.#reason
    this.#reason = reason
    // What it had replayed says nothing about the server that answers next.
    this.#state = reason === undefined ? state : undefined
    for (const { wanted, end } of this.#waiting) if (!this.isInUse || this.has(wanted)) end(this.isInUse)
    if (wasInUse !== this.isInUse || (reason !== before && reason === undefined))
      this.#hooks.onChange(this.status)
  }

  #poll(): void {
    if (this.#isPolling) return
    this.#isPolling = true
    void this.#polls()
  }

  async #polls(): Promise<void> {
    while (this.isInUse && (this.#waiting.size > 0 || !this.mayCatchUp)) {
      try {
        const state = await this.#server.read()
        if (!state.isStandby) this.takeOut(promoted)
        else if (state.startedAt !== this.#watched?.startedAt) this.takeOut(otherServer)
        else this.#set(this.#reason, state)
      } catch (error) {
        this.takeOut(messageOf(error))
      }
      if (this.#waiting.size === 0 && !this.mayCatchUp) await sleep(pollMs.missed, undefined, { ref: false })
      else if (this.#waiting.size > 0) await sleep(pollMs.waitedFor)
    }
    this.#isPolling = false
  }
}

const promoted = 'it is a primary: it was promoted, or never was a replica'
const otherServer = 'its address leads to several servers, or it was started again'
