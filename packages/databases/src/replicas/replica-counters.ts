import { emptyDurations, type Durations } from '../adapters/counters.ts'

/** Why a read that a replica may answer was sent to the primary. */
export type PrimaryReason =
  /** No replica is in use. */
  | 'none'
  /** None has replayed this writer's last write within the wait. */
  | 'behind'
  /** The primary did not say where its log is. */
  | 'position'
  /** The replica failed, was cancelled by what it replays, or went out of use while it answered. */
  | 'failed'

/** What has become of the reads that a replica may answer. */
export interface ReplicaCounters {
  /** Answered by a replica. */
  replicaReads: number
  /** Sent to the primary. */
  primaryReads: number
  primaryReasons: Record<PrimaryReason, number>
  /** Waits for a replica to replay a write, those in vain included. */
  waits: Durations
  /** Questions to the primary for its position: after writes, and one with each look at the replicas. */
  positions: Durations
  servers: ReplicaStatus[]
}

export interface ReplicaStatus {
  /** `host:port/database` */
  name: string
  isInUse: boolean
  /** Why it is not in use. */
  reason: string | undefined
  reads: number
  /** Undefined when it was not measured. */
  lagBytes: number | undefined
  lagMs: number | undefined
}

export function emptyReplicaCounters(): ReplicaCounters {
  return {
    replicaReads: 0,
    primaryReads: 0,
    primaryReasons: { none: 0, behind: 0, position: 0, failed: 0 },
    waits: emptyDurations(),
    positions: emptyDurations(),
    servers: [],
  }
}
