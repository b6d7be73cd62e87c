import { policyOf, type Billing } from '../context.ts'
import { isOver } from '../state/statuses.ts'
import type { BillingStore, BillingTables, StoredSubscription, SubscriptionChange } from '../store.ts'
import { grantsOf } from './entitlements.ts'
import { writeGrants } from './write-grants.ts'

export interface RegrantOptions extends Pick<Billing, 'policy' | 'now'> {
  signal?: AbortSignal | undefined
  /** Hears how many accounts have been looked at. */
  onProgress?: ((accounts: number) => void) | undefined
}

/**
 * Gives everybody who pays a price that has changed what it gives now, without asking Stripe. A transaction each, with
 * the customer locked: a synchronisation waits, or is waited for. One that is cut off goes on when it is called again.
 * @returns how many accounts pay one of these prices
 */
export async function regrant(store: BillingStore, options: RegrantOptions = {}): Promise<number> {
  const changed = await store.access.changedPrices()
  if (changed.length === 0) return 0
  const prices = changed.map(({ stripePriceId }) => stripePriceId)
  let accounts = 0
  let after: string | undefined
  for (;;) {
    const page = await store.customers.page({ after, limit: 100, prices })
    for (const { id } of page) {
      options.signal?.throwIfAborted()
      await store.transaction((tx) => regrantCustomer(tx, id, options))
      accounts++
      options.onProgress?.(accounts)
    }
    after = page.at(-1)?.id
    if (page.length < 100) break
  }
  await store.access.markGranted(changed)
  return accounts
}

async function regrantCustomer(tx: BillingTables, id: string, options: RegrantOptions): Promise<void> {
  const customer = await tx.fence.lock(id)
  if (customer.deleted) return
  const subscriptions = (await tx.subscriptions.ofCustomer(id)).filter(({ status }) => !isOver(status))
  const prices = await tx.access.heldPrices()
  const planOf = new Map(prices.map(({ stripePriceId, planId }) => [stripePriceId, planId]))
  await tx.subscriptions.write(id, planChanges(subscriptions, planOf))
  const features = new Map(prices.map((price) => [price.stripePriceId, price.features]))
  const stored = await tx.access.entitlements(customer.accountId)
  // Only what Stripe's own entitlements list has no end.
  const listed = [...stored].flatMap(([feature, { expiresAt }]) => (expiresAt === null ? [feature] : []))
  await writeGrants(tx, customer.accountId, grantsOf(subscriptions, features, policyOf(options), listed))
}

/** Items whose price belongs to another plan now, or to one at last. */
function planChanges(
  subscriptions: readonly StoredSubscription[],
  planOf: ReadonlyMap<string, string>,
): SubscriptionChange[] {
  return subscriptions.flatMap(({ id, stripeSubscriptionId, items }) => {
    const changed = items.flatMap(
      ({ id: itemId, stripeItemId, planId, stripePriceId, quantity, currentPeriodEnd }) => {
        const wanted = planOf.get(stripePriceId) ?? null
        if (planId === wanted) return []
        return [{ id: itemId, stripeItemId, planId: wanted, stripePriceId, quantity, currentPeriodEnd }]
      },
    )
    if (changed.length === 0) return []
    return [
      {
        id,
        stripeSubscriptionId,
        state: undefined,
        transition: undefined,
        items: { gone: [], changed, added: [] },
      },
    ]
  })
}
