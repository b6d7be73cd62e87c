import { emptyReplicaCounters, formatPosition, PrimaryWal, type PostgresUrl } from '@outgrow/databases'
import type { AdapterState } from '../adapters.ts'
import type { Database, Listener } from '../database.ts'
import type { MakeClient, OpenedClient } from '../opened-client.ts'
import type { DatabaseOptions } from '../open-database.ts'
import type { PrismaClientShape } from '../prisma-client.ts'
import { openReplica } from './open-replica.ts'
import { replicaOptions } from './replica-options.ts'
import { ReplicaReads, type ReplicaGate } from './replica-reads.ts'

/** What a database over one Postgres and its replicas has, whether there are any or not. */
export interface Replicas extends Pick<Database, 'after' | 'position'> {
  /** The primary's client, with its reads spread. */
  spread<Opened extends OpenedClient>(opened: Opened): Opened
  onEachClient(use: (client: PrismaClientShape) => void): void
  onChanged(listener: Listener<'replica'>): () => void
  close(): Promise<void>
}

export interface OpenReplicasOptions {
  primary: PostgresUrl
  options: Pick<DatabaseOptions, 'client' | 'replicas' | 'replicaLimits'>
  /** Whose counters get those of the replicas. */
  state: AdapterState
  PrismaClient: MakeClient<PrismaClientShape>
  gate?: ReplicaGate
}

/** @throws Failure OUTGROW_URL_INVALID, OUTGROW_REPLICA_OPTION */
export function openReplicas({ primary, options, state, PrismaClient, gate }: OpenReplicasOptions): Replicas {
  const limits = replicaOptions(options.replicaLimits)
  if (!options.replicas?.length) return withoutReplicas(primary)
  const listeners = new Set<Listener<'replica'>>()
  const counters = (state.counters.replicas ??= emptyReplicaCounters())
  const reads = new ReplicaReads({
    primary,
    replicas: options.replicas,
    limits,
    scope: state.scope,
    counters,
    open: (monitor) => openReplica(monitor, { options, state, PrismaClient }),
    // What a listener throws is its own affair.
    onChange: (status) => listeners.forEach((listener) => setImmediate(() => listener(status))),
    ...(gate && { gate }),
  })
  // Read when they are asked for.
  Object.defineProperty(counters, 'servers', { get: () => reads.statuses, enumerable: true })
  reads.start()
  return {
    spread: (opened) => ({ ...opened, ...reads.spread(opened) }),
    after: (token, work) => reads.writers.after(token, work),
    position: () => reads.writers.position(),
    onEachClient: (use) => reads.onEachClient(use),
    onChanged: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => reads.close(),
  }
}

/** A process that only writes gives positions to those that read from replicas. */
function withoutReplicas(primary: PostgresUrl): Replicas {
  let wal: PrimaryWal | undefined
  return {
    spread: (opened) => opened,
    after: async (_, work) => await work(),
    position: async () => {
      wal ??= new PrimaryWal(primary, { timeoutMs: 2000, keptMs: 0 }, emptyReplicaCounters().positions)
      return formatPosition(await wal.read())
    },
    onEachClient: () => {},
    onChanged: () => () => {},
    close: async () => wal?.close(),
  }
}
