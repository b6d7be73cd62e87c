import type { Stripe } from 'stripe'
import { policyOf, timeOf, type Billing } from '../context.ts'
import { linkByPolicy } from '../link/find-customer.ts'
import type { CustomerLink } from '../link/link-customer.ts'
import { runningSubscriptions } from '../link/running-subscriptions.ts'
import { isRunning, statusOf } from '../state/statuses.ts'
import type { UnlinkedPayer } from '../store.ts'
import { syncCustomer } from '../sync/sync-customer.ts'
import { errorText } from '../worker/backoff.ts'
import { chunksOf } from './chunks-of.ts'

export interface BackfillRequest {
  dryRun: boolean
  /** Only these customers of Stripe. */
  only: readonly string[] | undefined
  onProgress: (customers: number) => Promise<void>
}

export interface Backfill {
  /** Customers that the policy linked, or would. */
  linked: CustomerLink[]
  /** Customers that pay, and nobody knows whose they are. */
  unlinked: Pick<UnlinkedPayer, 'stripeCustomerId' | 'subscriptions'>[]
  /** Customers that could not be looked at: the others are. */
  failures: { customer: string; error: string }[]
}

/**
 * Finds customers of Stripe that are not here, by lists. Those that the policy knows are linked, whether they pay or not;
 * others that pay are written down, and what is written down and pays no more is removed.
 */
export async function backfill(billing: Billing, request: BackfillRequest): Promise<Backfill> {
  const { dryRun, only, onProgress } = request
  const { store } = billing
  const found: Backfill = { linked: [], unlinked: [], failures: [] }
  const attempt = async <Result>(customer: string, look: () => Promise<Result>) => {
    try {
      return await look()
    } catch (error) {
      found.failures.push({ customer, error: errorText(error) })
      return undefined
    }
  }
  const strangers = only && (await strangersAmong(billing, only, attempt))
  const payers = strangers ? await payersAmong(billing, strangers, attempt) : await allPayers(billing)
  if (policyOf(billing).linkCustomer) {
    let listed = 0
    for await (const customers of strangers
      ? [strangers]
      : chunksOf(billing.stripe.customers.list({ limit: 100 }))) {
      for (const customer of await strangersOf(billing, customers)) {
        // The policy is the application's: what it does not know how to say of one must not keep the others waiting.
        const link = await attempt(customer.id, () => linkByPolicy(billing, customer, dryRun))
        if (link === 'unknown' || link === undefined) continue
        payers.delete(customer.id)
        if (link) found.linked.push(link)
      }
      await onProgress((listed += customers.length))
    }
  }
  if (!dryRun)
    for (const { stripeCustomerId } of found.linked)
      await attempt(stripeCustomerId, () => syncLinked(billing, stripeCustomerId))
  found.unlinked = [...payers].map(([stripeCustomerId, subscriptions]) => ({
    stripeCustomerId,
    subscriptions,
  }))
  if (dryRun) return found
  for (const payer of found.unlinked) await store.unlinked.put(payer, timeOf(billing))
  const gone = only ?? (await store.unlinked.list(maxListed)).map(({ stripeCustomerId }) => stripeCustomerId)
  const ended = gone.filter((id) => !payers.has(id))
  for (let at = 0; at < ended.length; at += 1000) await store.unlinked.remove(ended.slice(at, at + 1000))
  return found
}

const maxListed = 100_000

async function syncLinked(billing: Billing, stripeCustomerId: string): Promise<void> {
  const customer = await billing.store.customers.ofStripe(stripeCustomerId)
  if (customer) await syncCustomer(billing, { customerId: customer.id, stripeCustomerId })
}

/** Customers that are not here, and not known to be another application's. */
async function strangersOf({ store }: Billing, customers: Stripe.Customer[]): Promise<Stripe.Customer[]> {
  const ids = customers.map(({ id }) => id)
  const known = await store.customers.known(ids)
  const ignored = await store.unlinked.ignored(ids)
  return customers.filter(({ id }) => !known.has(id) && !ignored.has(id))
}

/** Who pays and is not here, with what runs. One pass over Stripe's subscriptions, a hundred a call. */
async function allPayers({ store, stripe }: Billing): Promise<Map<string, string[]>> {
  const payers = new Map<string, string[]>()
  for await (const subscriptions of chunksOf(stripe.subscriptions.list({ limit: 100 }))) {
    const running = Map.groupBy(
      subscriptions.filter(({ status }) => isRunning(statusOf(status))),
      ({ customer }) => (typeof customer === 'string' ? customer : customer.id),
    )
    const ids = [...running.keys()]
    const known = await store.customers.known(ids)
    const ignored = await store.unlinked.ignored(ids)
    for (const [id, some] of running) {
      if (known.has(id) || ignored.has(id)) continue
      payers.set(id, [...(payers.get(id) ?? []), ...some.map((subscription) => subscription.id)])
    }
  }
  return payers
}

type Attempt = <Result>(customer: string, look: () => Promise<Result>) => Promise<Result | undefined>

/** Of these customers, as Stripe has them, those that are not here. */
async function strangersAmong(
  billing: Billing,
  ids: readonly string[],
  attempt: Attempt,
): Promise<Stripe.Customer[]> {
  const known = await billing.store.customers.known(ids)
  const customers: Stripe.Customer[] = []
  for (const id of ids) {
    if (known.has(id)) continue
    const customer = await attempt(id, () => billing.stripe.customers.retrieve(id))
    if (customer && !customer.deleted) customers.push(customer)
  }
  return strangersOf(billing, customers)
}

async function payersAmong(
  { stripe }: Billing,
  customers: readonly Stripe.Customer[],
  attempt: Attempt,
): Promise<Map<string, string[]>> {
  const payers = new Map<string, string[]>()
  for (const { id } of customers) {
    const running = (await attempt(id, () => runningSubscriptions(stripe, id))) ?? []
    if (running.length > 0) payers.set(id, running)
  }
  return payers
}
