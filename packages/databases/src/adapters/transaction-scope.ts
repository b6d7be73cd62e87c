import { AsyncLocalStorage } from 'node:async_hooks'
import { Failure } from '@outgrow/kit'

export type Provider = 'sqlite' | 'postgres'

/** One operation that is made for one provider, and what it has come to. */
export interface PinnedOperation {
  readonly provider: Provider
  /** Requests of it that were answered: one that has done something is not made again. */
  answered: number
}

/**
 * Knows whether code runs inside an interactive transaction's callback, and of which provider. There the root client would
 * wait for its own transaction (SQLite) or silently work outside it (Postgres): both are refused in the same words.
 */
export class TransactionScope {
  readonly #inside = new AsyncLocalStorage<{ provider: Provider; operation?: PinnedOperation }>()

  /** Runs a transaction's callback. */
  run<Result>(provider: Provider, callback: () => Result): Result {
    return this.#inside.run({ provider }, callback)
  }

  /** Runs what is written for one provider, outside of any transaction. */
  pin<Result>(operation: PinnedOperation, callback: () => Result): Result {
    return this.#inside.run({ provider: operation.provider, operation }, callback)
  }

  /** Undefined outside of transactions and pinned operations. */
  get provider(): Provider | undefined {
    return this.#inside.getStore()?.provider
  }

  get operation(): PinnedOperation | undefined {
    return this.#inside.getStore()?.operation
  }

  get isTransaction(): boolean {
    const inside = this.#inside.getStore()
    return inside !== undefined && inside.operation === undefined
  }

  /** @throws Failure OUTGROW_ROOT_IN_TRANSACTION */
  refuseInside(): void {
    if (!this.isTransaction) return
    throw new Failure({
      code: 'OUTGROW_ROOT_IN_TRANSACTION',
      message: 'The root client was called inside its own transaction callback.',
      why: 'The call would run outside the transaction, or wait for it forever.',
      fix: 'Use the client passed to the callback: $transaction(async (tx) => tx.…).',
    })
  }
}
