import {
  countTime,
  parsePostgresUrl,
  PrimaryWal,
  ReplicaMonitor,
  type PostgresUrl,
  type PrimaryReason,
  type ReplicaCounters,
  type ReplicaStatus,
  type TransactionScope,
  type WalPosition,
} from '@outgrow/databases'
import { isUnavailable } from '../errors.ts'
import type { OpenedClient } from '../opened-client.ts'
import { withExtensionsOf, type Request } from '../prisma-internals.ts'
import { inTime } from './in-time.ts'
import type { ReplicaOptions } from './replica-options.ts'
import { Writers } from './writers.ts'

/** Everything else stays on the primary: writes, what may be one, and what runs in a transaction. */
const readActions = new Set([
  'findUnique',
  'findUniqueOrThrow',
  'findFirst',
  'findFirstOrThrow',
  'findMany',
  'count',
  'aggregate',
  'groupBy',
])

const lookEveryMs = 1000

/** How long a server may take to say where its log is. */
const answerMs = 2000

/** How long a replica's client may take to open: servers that wake up are waited for. */
const openMs = 30_000

/** A client of one replica. */
export interface OpenedReplica extends OpenedClient {
  /** Without an end for a host that has vanished: its connections are destroyed then. */
  close(): Promise<void>
}

interface Replica {
  readonly monitor: ReplicaMonitor
  opened: OpenedReplica | undefined
  /** The look that is under way. */
  looking: Promise<void> | undefined
  /** Ends reads that it has not answered. */
  readonly reading: Set<(error: Error) => void>
}

/** Whether Postgres has the rows: not always, while an application graduates. */
export interface ReplicaGate {
  /** The number of the switch that was followed last. */
  epoch(): number
  /** Whether no other switch has followed. */
  isStill(epoch: number): boolean
}

export interface ReplicaReadsOptions {
  primary: PostgresUrl
  replicas: readonly string[]
  limits: ReplicaOptions
  scope: TransactionScope
  counters: ReplicaCounters
  /** Makes a client of one replica. */
  open(monitor: ReplicaMonitor): Promise<OpenedReplica>
  onChange(status: ReplicaStatus): void
  gate?: ReplicaGate
}

/** Sends reads to replicas that have what their writer has written. */
export class ReplicaReads {
  readonly writers: Writers
  readonly #options: ReplicaReadsOptions
  readonly #primary: PrimaryWal
  readonly #replicas: readonly Replica[]
  readonly #onOpened: ((client: OpenedClient['client']) => void)[] = []
  #timer: NodeJS.Timeout | undefined
  #turn = 0
  #epoch: number | undefined
  #isClosed = false

  /** @throws Failure OUTGROW_URL_INVALID */
  constructor(options: ReplicaReadsOptions) {
    const { maxLagMs, maxLagBytes } = options.limits
    this.#options = options
    this.#primary = new PrimaryWal(
      options.primary,
      { timeoutMs: answerMs, keptMs: maxLagMs },
      options.counters.positions,
    )
    this.writers = new Writers(this.#primary)
    const limits = { timeoutMs: answerMs, maxLagMs, maxLagBytes }
    this.#replicas = options.replicas.map((url) => {
      const replica: Replica = {
        opened: undefined,
        looking: undefined,
        reading: new Set(),
        monitor: new ReplicaMonitor(parsePostgresUrl(url), this.#primary, limits, {
          prepare: (isOther) => this.#open(replica, isOther),
          onChange: (status) => {
            if (!status.isInUse) for (const end of replica.reading) end(new Error(status.reason))
            options.onChange(status)
          },
        }),
      }
      return replica
    })
  }

  start(): void {
    this.#look()
  }

  get statuses(): ReplicaStatus[] {
    return this.#replicas.map(({ monitor }) => monitor.status)
  }

  /** The primary's client, whose reads go to replicas from now on. */
  spread(opened: OpenedClient): OpenedClient {
    const { execute, start } = opened
    const written = (run: () => Promise<unknown>) => this.#written(run)
    const sent = (self: unknown, request: Request, atPrimary: () => Promise<unknown>) =>
      this.#isRead(request) ? this.#read(self, request, atPrimary) : this.#written(atPrimary)
    return {
      ...opened,
      execute(request) {
        // A transaction is seen when it ends.
        if (request.transaction?.kind === 'itx') return execute.call(this, request)
        return sent(this, request, () => execute.call(this, request))
      },
      start(work, options) {
        return written(() => start.call(this, work, options))
      },
    }
  }

  /** For each replica's client that is open, and for those that will be. */
  onEachClient(use: (client: OpenedClient['client']) => void): void {
    this.#onOpened.push(use)
    for (const { opened } of this.#replicas) if (opened) use(opened.client)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await Promise.all([this.#primary.close(), ...this.#replicas.map(({ monitor }) => monitor.close())])
    await Promise.all(
      this.#replicas.map(async (replica) => {
        // One that is opened later is closed then.
        if (replica.looking) await inTime(replica.looking, answerMs).catch(() => {})
        await replica.opened?.close()
      }),
    )
  }

  #isRead({ action, model, transaction }: Request): boolean {
    // What is written for one provider may be several operations.
    return (
      transaction === undefined &&
      model !== undefined &&
      readActions.has(action) &&
      this.#options.scope.provider === undefined
    )
  }

  #written(run: () => Promise<unknown>): Promise<unknown> {
    const writer = this.writers.current
    return run().finally(() => this.writers.wrote(writer))
  }

  #read(self: unknown, request: Request, atPrimary: () => Promise<unknown>): Promise<unknown> {
    const ready = this.#replicas.filter(({ monitor }) => monitor.isInUse)
    if (ready.length === 0) return this.#fallBack('none', atPrimary)
    const { gate } = this.#options
    // What was written in the file, before the switch, is in what the switch has placed.
    const epoch = gate?.epoch()
    if (epoch !== this.#epoch) this.writers.broughtRows()
    this.#epoch = epoch
    const send = (replica: Replica | undefined) =>
      replica ? this.#sendTo(replica, self, request, atPrimary) : this.#fallBack('behind', atPrimary)
    const choose = (wanted: WalPosition | undefined) => {
      const replica = this.#next(wanted ? ready.filter(({ monitor }) => monitor.has(wanted)) : ready)
      return replica || !wanted ? send(replica) : this.#first(ready, wanted).then(send)
    }
    const required = this.writers.required(this.writers.current)
    // At once where it can be: Prisma gathers the findUniques of one turn.
    return required instanceof Promise
      ? required.then(choose, () => this.#fallBack('position', atPrimary))
      : choose(required)
  }

  #next(among: readonly Replica[]): Replica | undefined {
    return among[this.#turn++ % among.length]
  }

  /** The first that replays a position in time. */
  async #first(among: readonly Replica[], wanted: WalPosition): Promise<Replica | undefined> {
    const hopeful = among.filter(({ monitor }) => monitor.mayCatchUp)
    if (hopeful.length === 0) return undefined
    const asked = performance.now()
    try {
      return await Promise.any(
        hopeful.map(async (replica) => {
          if (await replica.monitor.wait(wanted, this.#options.limits.maxWaitMs)) return replica
          throw new Error('not in time')
        }),
      )
    } catch {
      return undefined // none: the primary has it
    } finally {
      countTime(this.#options.counters.waits, performance.now() - asked)
    }
  }

  async #sendTo(
    replica: Replica,
    self: unknown,
    request: Request,
    atPrimary: () => Promise<unknown>,
  ): Promise<unknown> {
    const { monitor, opened, reading } = replica
    const { gate, counters } = this.#options
    const epoch = gate?.epoch() ?? 0
    if (!opened) return this.#fallBack('none', atPrimary)
    const { promise: ended, reject: end } = Promise.withResolvers<never>()
    reading.add(end)
    try {
      const on = withExtensionsOf(self as object, opened.client)
      const result = await Promise.race([opened.execute.call(on, request), ended])
      if (gate && !gate.isStill(epoch)) return await this.#fallBack('failed', atPrimary)
      monitor.reads++
      counters.replicaReads++
      return result
    } catch (error) {
      if (monitor.isInUse && isAnswer(error)) throw error
      if (isUnavailable(error)) monitor.takeOut('it cannot be reached')
    } finally {
      reading.delete(end)
    }
    return this.#fallBack('failed', atPrimary)
  }

  #fallBack(reason: PrimaryReason, atPrimary: () => Promise<unknown>): Promise<unknown> {
    const { counters } = this.#options
    counters.primaryReads++
    counters.primaryReasons[reason]++
    return atPrimary()
  }

  #look(): void {
    void this.#lookAround().finally(() => {
      if (this.#isClosed) return
      // Processes that began together do not go on asking together.
      this.#timer = setTimeout(() => this.#look(), lookEveryMs * (0.8 + 0.4 * Math.random()))
      this.#timer.unref()
    })
  }

  /** No replica waits for another: one may hang while it is opened. */
  async #lookAround(): Promise<void> {
    await this.#primary.read().catch(() => {}) // the replicas' lag grows meanwhile
    if (this.#isClosed) return
    for (const replica of this.#replicas)
      replica.looking ??= replica.monitor.look().finally(() => (replica.looking = undefined))
  }

  async #open(replica: Replica, isOther: boolean): Promise<void> {
    if (isOther && replica.opened) {
      void replica.opened.close()
      replica.opened = undefined
    }
    if (replica.opened || this.#isClosed) return
    const opening = this.#options.open(replica.monitor)
    const opened = await inTime(opening, openMs).catch((error: unknown) => {
      void opening.then((late) => late.close()).catch(() => {}) // it was not opened at all
      throw error
    })
    if (this.#isClosed) return opened.close()
    replica.opened = opened
    for (const use of this.#onOpened) use(opened.client)
  }
}

/** What a replica that is up to date says as the primary would. */
function isAnswer(error: unknown): boolean {
  const { code, name } = error as { code?: unknown; name?: unknown }
  return code === 'P2025' || name === 'PrismaClientValidationError'
}
