import { setImmediate as turn } from 'node:timers/promises'
import { Failure } from '@outgrow/kit'
import type { BillingStore, NewEvent } from '../store.ts'

/** What one statement takes at most. */
const maxEvents = 200
/** Statements at a time: while the server commits one, the next is made. */
const maxStatements = 2
const worthSharing = 16
const maxPayloadLength = 4 * 1024 * 1024
/** What may wait while the database is slow or hangs. More is refused: Stripe keeps it, and this process its memory. */
const mostWaiting = { events: 10_000, length: 64 * 1024 * 1024 }

interface Arrival {
  event: NewEvent
  isNew: PromiseWithResolvers<boolean>
}

/**
 * Stores events that arrive while others are being stored with one statement: a burst costs a commit for many instead of
 * one for each. Nothing waits for others to come: without a burst each is stored at once.
 */
class Gathering {
  readonly #store: Pick<BillingStore, 'inbox' | 'faultOf'>
  readonly #waiting: Arrival[] = []
  #waitingLength = 0
  #storing = 0

  constructor(store: Pick<BillingStore, 'inbox' | 'faultOf'>) {
    this.#store = store
  }

  /**
   * Resolves when the event's own row is committed: to false when it was there.
   * @throws Failure OUTGROW_BILLING_OVERLOADED when too many wait
   */
  async add(event: NewEvent): Promise<boolean> {
    const { events, length } = mostWaiting
    if (this.#waiting.length >= events || this.#waitingLength + event.payload.length > length) {
      throw new Failure({
        code: 'OUTGROW_BILLING_OVERLOADED',
        message: `${this.#waiting.length} events wait to be stored already.`,
        why: 'They arrive faster than the database takes them, or it hangs.',
        fix: 'Nothing is lost: Stripe delivers again what was answered with 503. See what the database waits for.',
      })
    }
    const isNew = Promise.withResolvers<boolean>()
    this.#waiting.push({ event, isNew })
    this.#waitingLength += event.payload.length
    if (this.#storing < maxStatements) void this.#storeAll()
    return isNew.promise
  }

  async #storeAll(): Promise<void> {
    this.#storing++
    while (this.#waiting.length > 0) {
      // Those that arrive within this turn of the event loop, such as the next of all that were just answered.
      await turn()
      if (this.#waiting.length > 0) await this.#storeBatch(this.#next())
    }
    this.#storing--
  }

  #next(): Arrival[] {
    // A burst is shared between them; a few are not worth two.
    const { length: waiting } = this.#waiting
    const share = waiting < worthSharing ? waiting : Math.ceil(waiting / maxStatements)
    let length = 0
    const end = this.#waiting.findIndex(
      ({ event }, at) => (length += event.payload.length) > maxPayloadLength && at > 0,
    )
    const batch = this.#waiting.splice(0, Math.min(end === -1 ? maxEvents : end, maxEvents, share))
    for (const { event } of batch) this.#waitingLength -= event.payload.length
    return batch
  }

  async #storeBatch(batch: readonly Arrival[]): Promise<void> {
    try {
      // Always in the same order: two processes that store some of the same events must not wait for each other.
      const events = Map.groupBy(batch, ({ event }) => event.stripeEventId)
      const sorted = [...events].toSorted(([a], [b]) => (a < b ? -1 : 1))
      const fresh = await this.#store.inbox.store(sorted.flatMap(([, [first]]) => first?.event ?? []))
      for (const [id, [first, ...repeats]] of sorted) {
        first?.isNew.resolve(fresh.has(id))
        for (const { isNew } of repeats) isNew.resolve(false)
      }
    } catch (error) {
      if (batch.length === 1 || this.#store.faultOf(error) !== undefined) {
        for (const { isNew } of batch) isNew.reject(error)
        return
      }
      // The database refused one of them: the others must not be refused with it.
      for (const one of batch) await this.#storeBatch([one])
    }
  }
}

const gatherings = new WeakMap<object, Gathering>()

/** Stores an event with those that arrive at the same time. Resolves when its row is committed: to false when it was there. */
export function gatherEvent(
  store: Pick<BillingStore, 'inbox' | 'faultOf'>,
  event: NewEvent,
): Promise<boolean> {
  const known = gatherings.get(store) ?? new Gathering(store)
  gatherings.set(store, known)
  return known.add(event)
}
