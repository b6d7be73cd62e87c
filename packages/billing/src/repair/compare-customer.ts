import { policyOf, timeOf, type Billing } from '../context.ts'
import { applyStripeState } from '../sync/apply.ts'
import { fetchStripeState } from '../sync/stripe-state.ts'

class DryRunRollback extends Error {}

/** What a synchronisation would change, in words, found by doing it and taking it back. */
export async function compareCustomer(
  billing: Billing,
  customerId: string,
  stripeCustomerId: string,
): Promise<string[]> {
  const { store, stripe } = billing
  const policy = policyOf(billing)
  const stripeState = await fetchStripeState(stripe, stripeCustomerId, policy.stripeEntitlements)
  let drift: string[] = []
  try {
    await store.transaction(async (tx) => {
      const customer = await tx.fence.lock(customerId)
      const application = { stripeState, policy, eventId: null, now: timeOf(billing) }
      drift = (await applyStripeState(tx, customer, application)).drift
      throw new DryRunRollback()
    })
  } catch (error) {
    if (!(error instanceof DryRunRollback)) throw error
  }
  return drift
}
