import { storeEvent } from '../inbox/store-event.ts'
import { handledEventTypes } from '../inbox/event-types.ts'
import { parseEvent } from '../inbox/parse-event.ts'
import { defaultPolicy } from '../config/policy.ts'
import { timeOf, type Billing } from '../context.ts'
import { applyStripeState } from '../sync/apply.ts'
import { syncCustomer } from '../sync/sync-customer.ts'
import { fetchStripeState } from '../sync/stripe-state.ts'
import { errorText } from '../worker/backoff.ts'
import { runWorker, type WorkerTotals } from '../worker/run-worker.ts'

export interface ReconcileRequest {
  /** How far back events are looked for; Stripe keeps 30 days. */
  days?: number
  dryRun?: boolean
  /** Stripe's ids of the customers to look at; all by default. */
  customers?: string[] | undefined
  signal?: AbortSignal
  onProgress?: (customers: number) => void
}

export interface Reconciliation {
  customers: number
  /** Events that Stripe has and the inbox had not. */
  missingEvents: string[]
  /** By Stripe's customer id, what was different. */
  drift: { customer: string; differences: string[] }[]
  /** Customers that could not be compared, such as one that Stripe no longer knows. */
  failures: { customer: string; error: string }[]
  /** What the worker then did; undefined in a dry run. */
  worked: WorkerTotals | undefined
}

/**
 * Finds what never arrived and what is not as Stripe has it, and mends both: missing events are stored and worked off,
 * then every customer is compared and brought to the stripeState. Lists are read, never Stripe's search, which lags behind.
 */
export async function reconcile(billing: Billing, request: ReconcileRequest = {}): Promise<Reconciliation> {
  const { days = 30, dryRun = false, customers: only, signal, onProgress } = request
  const missingEvents = await fetchMissingEvents(billing, days, dryRun)
  const worked = dryRun
    ? undefined
    : await runWorker({ ...billing, untilEmpty: true, ...(signal ? { signal } : {}) })
  const drift: Reconciliation['drift'] = []
  const failures: Reconciliation['failures'] = []
  let customers = 0
  let last: string | undefined
  for (;;) {
    const page = await billing.store.customers.page({ after: last, limit: 100, only })
    for (const { id, stripeCustomerId } of page) {
      signal?.throwIfAborted()
      try {
        const differences = dryRun
          ? await compare(billing, id, stripeCustomerId)
          : (await syncCustomer(billing, { customerId: id, stripeCustomerId })).drift
        if (differences.length > 0) drift.push({ customer: stripeCustomerId, differences })
      } catch (error) {
        failures.push({ customer: stripeCustomerId, error: errorText(error) })
      }
      onProgress?.(++customers)
    }
    last = page.at(-1)?.id
    if (page.length < 100) return { customers, missingEvents, drift, failures, worked }
  }
}

async function fetchMissingEvents(
  { store, stripe, now }: Billing,
  days: number,
  dryRun: boolean,
): Promise<string[]> {
  const since = Math.floor(timeOf({ now }).getTime() / 1000) - days * 86_400
  const missing: string[] = []
  const types = [...handledEventTypes]
  for await (const event of stripe.events.list({ created: { gte: since }, types, limit: 100 })) {
    const known = await store.inbox.known([event.id])
    if (known.has(event.id)) continue
    missing.push(event.id)
    const received = parseEvent(event)
    if (received && !dryRun) await storeEvent(store, received, JSON.stringify(event), 'reconcile')
  }
  return missing
}

class DryRunRollback extends Error {}

/** What a synchronisation would change, found by doing it and taking it back. */
async function compare(billing: Billing, customerId: string, stripeCustomerId: string): Promise<string[]> {
  const { store, stripe, policy = defaultPolicy } = billing
  const stripeState = await fetchStripeState(stripe, stripeCustomerId, policy.stripeEntitlements)
  let drift: string[] = []
  try {
    await store.transaction(async (tx) => {
      const customer = await tx.fence.lock(customerId)
      drift = await applyStripeState(tx, customer, {
        stripeState,
        policy,
        eventId: null,
        now: timeOf(billing),
      })
      throw new DryRunRollback()
    })
  } catch (error) {
    if (!(error instanceof DryRunRollback)) throw error
  }
  return drift
}

/** How much of a reconciliation needs attention. */
export interface ReconciliationFindings {
  /** Events that the worker could not process. */
  unfinished: number
  /** Everything that differed, and what could not be looked at. */
  total: number
  /** All that differed could be mended. */
  isWhole: boolean
}

/** What a reconciliation found, in numbers. */
export function reconciliationFindings(found: Reconciliation): ReconciliationFindings {
  const unfinished = (found.worked?.failed ?? 0) + (found.worked?.dead ?? 0)
  const failed = found.failures.length + unfinished
  return {
    unfinished,
    total: found.missingEvents.length + found.drift.length + failed,
    isWhole: failed === 0,
  }
}
