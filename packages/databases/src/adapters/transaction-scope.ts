import { AsyncLocalStorage } from 'node:async_hooks'
import { Failure } from '@outgrow/kit'

/**
 * Knows whether code runs inside an interactive transaction's callback. There the root client would wait for its own
 * transaction (SQLite) or silently work outside it (Postgres): both are refused in the same words.
 */
export class TransactionScope {
  readonly #inside = new AsyncLocalStorage<true>()

  run<Result>(callback: () => Result): Result {
    return this.#inside.run(true, callback)
  }

  /** @throws Failure OUTGROW_ROOT_IN_TRANSACTION */
  refuseInside(): void {
    if (this.#inside.getStore() !== true) return
    throw new Failure({
      code: 'OUTGROW_ROOT_IN_TRANSACTION',
      message: 'The root client was called inside its own transaction callback.',
      why: 'The call would run outside the transaction, or wait for it forever.',
      fix: 'Use the client passed to the callback: $transaction(async (tx) => tx.…).',
    })
  }
}
