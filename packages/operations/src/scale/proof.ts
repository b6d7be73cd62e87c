/** A cluster on which the client's contract suite, billing and the move ran. */
export interface Proof {
  citus: string
  postgres: string
  workers: number
  /** ISO date. */
  at: string
}

/**
 * Undefined until `OUTGROW_CITUS_URL=… pnpm test:citus` has passed on a real coordinator with workers: it prints what to
 * write here.
 */
export const proof: Proof | undefined = undefined
