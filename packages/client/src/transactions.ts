import type { TransactionScope } from '@outgrow/databases'
import type { Place } from './follower.ts'
import type { OpenedClient, Start } from './opened-client.ts'
import { watchBatches, withExtensionsOf } from './prisma-internals.ts'

/** What a transaction asks of whoever knows where the rows are. */
export interface Route {
  /** Where operations go now. */
  here(): Place
  /** Whether an operation that was sent to a place failed because the rows have moved since. */
  hasMoved(place: Place, error: unknown): Promise<boolean>
}

/** The transactions that are open, whichever client they run on. */
export class Transactions {
  readonly #open = new Set<Promise<unknown>>()

  track(running: Promise<unknown>): void {
    const settled: Promise<unknown> = running.then(
      () => this.#open.delete(settled),
      () => this.#open.delete(settled),
    )
    this.#open.add(settled)
  }

  async drained(): Promise<void> {
    while (this.#open.size > 0) await Promise.allSettled(this.#open)
  }
}

/** Where a batch was sent: its operations are sent one by one. */
export class Batches {
  readonly #places = new WeakMap<object, Place>()
  #starting: Place | undefined

  /** Starts a batch at a place: its operations are asked for within the call. */
  async start<Result>(place: Place, start: () => Promise<Result>): Promise<Result> {
    this.#starting = place
    let running: Promise<Result>
    try {
      running = start()
    } finally {
      this.#starting = undefined
    }
    return await running
  }

  seen(batch: object): void {
    if (this.#starting && !this.#places.has(batch)) this.#places.set(batch, this.#starting)
  }

  placeOf(batch: object): Place | undefined {
    this.seen(batch)
    return this.#places.get(batch)
  }
}

/**
 * Marks the callback of an interactive transaction, so that the root client can tell when it is called inside. With a
 * route, a transaction that finds the rows moved before anything of it ran begins again where they are; a callback
 * that has begun is never run again.
 */
export function replaceTransaction(
  opened: OpenedClient,
  scope: TransactionScope,
  transactions: Transactions,
  following?: { route: Route; batches: Batches },
): void {
  const { client, provider, start } = opened
  // Awaited inside: what the callback returns may be a query that only starts then.
  const within =
    (place: Pick<Place, 'provider'>, work: (tx: unknown) => unknown, onBegun?: () => void) =>
    (tx: unknown): unknown => {
      onBegun?.()
      return scope.run(place.provider, async () => await work(tx))
    }
  const startAt = (place: Place, self: unknown, work: unknown, options: unknown): Promise<unknown> => {
    const on = place.provider === provider ? self : withExtensionsOf(self as object, place.opened.client)
    return place.opened.start.call(on, work, options)
  }
  const follow = async (
    { route, batches }: NonNullable<typeof following>,
    self: unknown,
    work: unknown,
    options: unknown,
  ): Promise<unknown> => {
    for (;;) {
      const place = route.here()
      let hasBegun = false
      try {
        const result =
          typeof work === 'function'
            ? await startAt(
                place,
                self,
                within(place, work as (tx: unknown) => unknown, () => (hasBegun = true)),
                options,
              )
            : await batches.start(place, () => startAt(place, self, work, options))
        if (scope.operation) scope.operation.answered++
        return result
      } catch (error) {
        if (hasBegun || scope.operation || !(await route.hasMoved(place, error))) throw error
      }
    }
  }
  const $transaction: Start = function transaction(work, options) {
    // Inside a transaction it is a savepoint of that.
    const running =
      following && !scope.isTransaction
        ? follow(following, this, work, options)
        : typeof work === 'function'
          ? start.call(this, within({ provider }, work as (tx: unknown) => unknown), options)
          : start.call(this, work, options)
    if (typeof work === 'function') transactions.track(running)
    return running
  }
  Object.defineProperty(client, '$transaction', { value: $transaction })
  if (following) watchBatches(client, (batch) => following.batches.seen(batch))
}
