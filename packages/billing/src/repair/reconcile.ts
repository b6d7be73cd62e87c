import { policyOf, timeOf, type Billing } from '../context.ts'
import type { CustomerLink } from '../link/link-customer.ts'
import type { UnlinkedPayer } from '../store.ts'
import { regrant } from '../sync/regrant.ts'
import { syncCustomer } from '../sync/sync-customer.ts'
import { errorText } from '../worker/backoff.ts'
import type { WorkerTotals } from '../worker/run-worker.ts'
import { backfill } from './backfill.ts'
import { compareCustomer } from './compare-customer.ts'
import { drainReceived } from './drain-received.ts'
import { customersInFlight, fetchMissingEvents } from './missing-events.ts'
import { asOnlyReconciliation, type TaskLease } from './reconcile-task.ts'

export interface ReconcileRequest {
  /** How far back events are looked for; Stripe keeps 30 days. */
  days?: number
  dryRun?: boolean
  /** Stripe's ids of the customers to look at; all by default. */
  customers?: string[] | undefined
  signal?: AbortSignal
  onProgress?: (progress: ReconcileProgress) => void
}

export interface ReconcileProgress {
  step: 'events' | 'strangers' | 'customers'
  done: number
}

export interface Reconciliation {
  customers: number
  /** Events that Stripe has and the inbox had not. */
  missingEvents: string[]
  /** By Stripe's customer id, what was different. */
  drift: Drift[]
  /** Events and customers that differed only because something has just happened: no findings. */
  inFlight: number
  /** Customers that Stripe had and the application not, and whose they are by its policy. */
  linked: CustomerLink[]
  /** Customers that pay at Stripe and belong to no account: outgrow billing link, or the policy, decides. */
  unlinked: Pick<UnlinkedPayer, 'stripeCustomerId' | 'subscriptions'>[]
  /** Customers that could not be looked at, such as one that Stripe no longer knows, or that the policy threw at. */
  failures: { customer: string; error: string }[]
  /** What the worker then did; undefined in a dry run. */
  worked: WorkerTotals | undefined
}

interface Drift {
  customer: string
  differences: string[]
}

/**
 * Finds who is not here, what never arrived, and what is not as Stripe has it, and mends it: customers are linked by the
 * policy, missing events stored and worked off, and every customer is compared and brought to Stripe's state. Lists are read, never
 * Stripe's search, which lags behind. It ends while events go on arriving: only what is there at its start is looked at.
 * Of the whole, one runs at a time.
 * @throws Failure OUTGROW_BILLING_RECONCILING
 */
export async function reconcile(billing: Billing, request: ReconcileRequest = {}): Promise<Reconciliation> {
  const free: TaskLease = { extend: async () => {} }
  // What changes nothing, or concerns a few, may run beside.
  if (request.dryRun || request.customers) return work(billing, request, free)
  return asOnlyReconciliation(billing, async (lease) => {
    const result = await work(billing, request, lease)
    return { result, findings: reconciliationFindings(result).total }
  })
}

async function work(billing: Billing, request: ReconcileRequest, lease: TaskLease): Promise<Reconciliation> {
  const { days = 30, dryRun = false, customers: only, signal, onProgress } = request
  const { store } = billing
  const start = timeOf(billing)
  const progress = (step: ReconcileProgress['step']) => async (done: number) => {
    signal?.throwIfAborted()
    onProgress?.({ step, done })
    await lease.extend()
  }
  // First, so that whoever is linked here is known when their events are worked off.
  const found = await backfill(billing, { dryRun, only, onProgress: progress('strangers') })
  const since = new Date(start.getTime() - days * 86_400_000)
  const events = await fetchMissingEvents(billing, { since, start, dryRun }, progress('events'))
  // By this machine's clock, which arrivals are dated by.
  const worked = dryRun ? undefined : await drainReceived(billing, new Date(), signal)
  await lease.extend()
  // What a change of the plans was cut off at.
  if (!dryRun) await regrant(store, { policy: policyOf(billing), signal })
  const compared = await compareAll(billing, { start, dryRun, only, onProgress: progress('customers') })
  const moving = compared.drift.length > 0 ? await customersInFlight(billing, start) : new Set<string>()
  const drift = compared.drift.filter(({ customer }) => !moving.has(customer))
  return {
    customers: compared.customers,
    missingEvents: events.missing,
    drift,
    inFlight: events.inFlight + compared.drift.length - drift.length,
    ...found,
    failures: [...found.failures, ...compared.failures],
    worked,
  }
}

interface Comparison {
  start: Date
  dryRun: boolean
  only: readonly string[] | undefined
  onProgress: (customers: number) => Promise<void>
}

async function compareAll(
  billing: Billing,
  { start, dryRun, only, onProgress }: Comparison,
): Promise<Pick<Reconciliation, 'customers' | 'drift' | 'failures'>> {
  const drift: Drift[] = []
  const failures: Reconciliation['failures'] = []
  let customers = 0
  let after: string | undefined
  for (;;) {
    const page = await billing.store.customers.page({
      after,
      limit: 100,
      only,
      until: only ? undefined : start,
    })
    for (const { id, stripeCustomerId } of page) {
      try {
        const differences = dryRun
          ? await compareCustomer(billing, id, stripeCustomerId)
          : (await syncCustomer(billing, { customerId: id, stripeCustomerId })).drift
        if (differences.length > 0) drift.push({ customer: stripeCustomerId, differences })
      } catch (error) {
        failures.push({ customer: stripeCustomerId, error: errorText(error) })
      }
      await onProgress(++customers)
    }
    after = page.at(-1)?.id
    if (page.length < 100) return { customers, drift, failures }
  }
}

/** How much of a reconciliation needs attention. */
export interface ReconciliationFindings {
  /** Events that the worker could not process. */
  unfinished: number
  /** Everything that differed, what could not be looked at, and who pays for nothing. */
  total: number
  /** All that differed could be mended. */
  isWhole: boolean
}

/** What a reconciliation found, in numbers. */
export function reconciliationFindings(found: Reconciliation): ReconciliationFindings {
  const unfinished = (found.worked?.failed ?? 0) + (found.worked?.dead ?? 0)
  const failed = found.failures.length + unfinished + found.unlinked.length
  return {
    unfinished,
    total: found.missingEvents.length + found.drift.length + found.linked.length + failed,
    isWhole: failed === 0,
  }
}
