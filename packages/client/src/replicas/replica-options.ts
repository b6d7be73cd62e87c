import { parsePostgresUrl } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'

export interface ReplicaOptions {
  /** How long a read waits for a replica to replay what its writer has written. Then the primary answers. */
  maxWaitMs: number
  /** A replica that is further behind is not read from at all. */
  maxLagMs: number
  maxLagBytes: number
}

const defaults: ReplicaOptions = { maxWaitMs: 50, maxLagMs: 10_000, maxLagBytes: 64 * 1024 * 1024 }

/** A position that is carried in a cookie is kept for as long. */
export const longestLagMs = 3_600_000

/**
 * Looks at what is asked of replicas, also where there are none yet, as on SQLite.
 * @throws Failure OUTGROW_URL_INVALID, OUTGROW_REPLICA_OPTION
 */
export function checkReplicas(options: {
  replicas?: readonly string[]
  replicaLimits?: Partial<ReplicaOptions>
}): void {
  for (const url of options.replicas ?? []) parsePostgresUrl(url)
  replicaOptions(options.replicaLimits)
}

/** @throws Failure OUTGROW_REPLICA_OPTION */
export function replicaOptions(given: Partial<ReplicaOptions> = {}): ReplicaOptions {
  for (const [name, value] of Object.entries(given)) {
    const most = name === 'maxLagMs' ? longestLagMs : Number.MAX_SAFE_INTEGER
    if (Object.hasOwn(defaults, name) && value >= 0 && value <= most) continue
    throw new Failure({
      code: 'OUTGROW_REPLICA_OPTION',
      message: `The option ${name} of replicas cannot be ${String(value)}.`,
      why: `Known are ${Object.keys(defaults).join(', ')}, each a number that is not negative; maxLagMs is an hour at most.`,
      fix: 'For example { replicas: [url], replicaLimits: { maxWaitMs: 50 } }.',
    })
  }
  return { ...defaults, ...given }
}
