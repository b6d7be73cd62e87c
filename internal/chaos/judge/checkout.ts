import type { StripeFake } from '@outgrow/stripe-fake'

/** Customers with two subscriptions that run, both bought on pages that the application opened. */
export function boughtTwice({ store }: StripeFake): string[] {
  const bought = new Map<string, string[]>()
  for (const { client_reference_id: account, subscription } of store.sessions.values()) {
    if (account === null || typeof subscription !== 'string') continue
    if (['canceled', 'incomplete', 'incomplete_expired'].includes(statusOf(store, subscription))) continue
    bought.set(account, [...(bought.get(account) ?? []), subscription])
  }
  return [...bought]
    .filter(([, subscriptions]) => subscriptions.length > 1)
    .map(([account, subscriptions]) => `account ${account} bought ${subscriptions.join(' and ')}`)
}

function statusOf(store: StripeFake['store'], subscription: string): string {
  return store.subscription(subscription).object.status
}
