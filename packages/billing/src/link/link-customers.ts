import { Failure, messageOf } from '@outgrow/kit'
import { timeOf, type Billing } from '../context.ts'
import { syncCustomer } from '../sync/sync-customer.ts'
import { checkLink, linkCustomer, type CustomerLink } from './link-customer.ts'

/** Longer lists of what is wrong help nobody. */
const maxNamed = 5

/**
 * Links customers of Stripe to accounts and gives them what they pay for. All are checked first: one that cannot be, and
 * none is linked.
 * @throws Failure OUTGROW_BILLING_LINK naming each that cannot be linked
 */
export async function linkCustomers(
  billing: Billing,
  links: readonly CustomerLink[],
  dryRun = false,
): Promise<void> {
  const problems = doubles(links)
  for (const link of links) {
    try {
      await checkLink(billing, link)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      problems.push(messageOf(error))
    }
  }
  if (problems.length > 0) throw refused(problems)
  if (dryRun) return
  for (const link of links) {
    const { id: customerId, stripeCustomerId } = await linkCustomer(billing, link)
    await syncCustomer(billing, { customerId, stripeCustomerId })
  }
}

/**
 * Says that a customer of Stripe is another application's: it is not reported any more.
 * @throws Failure OUTGROW_BILLING_LINK when it is an account's
 */
export async function ignoreCustomer(
  billing: Billing,
  stripeCustomerId: string,
  dryRun = false,
): Promise<void> {
  const { store } = billing
  const customer = await store.customers.ofStripe(stripeCustomerId)
  if (customer) throw refused([`${stripeCustomerId} belongs to account ${customer.accountId}.`])
  if (!dryRun) await store.unlinked.ignore(stripeCustomerId, timeOf(billing))
}

function doubles(links: readonly CustomerLink[]): string[] {
  const ids = links.flatMap(({ accountId, stripeCustomerId }) => [
    `customer ${stripeCustomerId}`,
    `account ${accountId}`,
  ])
  return [...new Set(ids.filter((id, at) => ids.indexOf(id) !== at))].map((id) => `${id} is named twice`)
}

function refused(problems: string[]): Failure {
  const more = problems.length > maxNamed ? ` And ${problems.length - maxNamed} more.` : ''
  return new Failure({
    code: 'OUTGROW_BILLING_LINK',
    message: `${problems.slice(0, maxNamed).join(' ')}${more}`,
    why: 'A customer of Stripe is one account’s, and an account has one customer. Nothing was linked.',
    fix: 'Check both ids in Stripe’s dashboard, and outgrow billing status for customers that wait.',
  })
}
