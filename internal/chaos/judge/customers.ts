import type { StripeFake } from '@outgrow/stripe-fake'

/** Stripe's customers of an account: the one that it has, and those that were deleted. */
export function customersOf({ store }: StripeFake, accountId: string): string[] {
  const deleted = [...store.events.values()].flatMap(({ type, data }) =>
    type === 'customer.deleted' && data.object.metadata.accountId === accountId ? [data.object.id] : [],
  )
  return [...deleted, ...customersNow({ store }, accountId)]
}

/** Those that are not deleted. */
function customersNow({ store }: Pick<StripeFake, 'store'>, accountId: string): string[] {
  return [...store.customers.values()].flatMap((customer) =>
    !customer.deleted && customer.metadata.accountId === accountId ? [customer.id] : [],
  )
}

/**
 * Accounts with purchases of more than one customer at Stripe. One that a death left behind at a minute's turn, when keys change,
 * has nothing and costs nobody anything.
 */
export function twoCustomers(fake: StripeFake, accounts: readonly string[]): string[] {
  return accounts.flatMap((account) => {
    const own = customersNow(fake, account).filter((id) => fake.store.subscriptionsOf(id).length > 0)
    return own.length > 1 ? [`account ${account} is ${own.join(' and ')} at Stripe`] : []
  })
}
