import type { StripeFake } from '@outgrow/stripe-fake'
import type { Database } from '@outgrow/db'
import { customersOf } from './customers.ts'
import { wrongGrants } from './grants.ts'

/** Where the database is not as Stripe is. Written apart from the product's own comparison, which it judges. */
export async function wrongStates(
  database: Database,
  fake: StripeFake,
  accounts: readonly string[],
  deep: boolean,
): Promise<string[]> {
  const wrong: string[] = []
  const customers = await database.client.billingCustomer.findMany({
    where: { accountId: { in: [...accounts] } },
  })
  for (const { accountId, stripeCustomerId: customer } of customers) {
    const stored = await database.client.subscription.findMany({
      where: { customer: { accountId } },
      include: { items: true, history: { orderBy: { id: 'asc' } } },
    })
    const all = customersOf(fake, accountId)
    const truth = all.flatMap((id) => fake.store.subscriptionsOf(id).map(({ object }) => object))
    if (stored.length !== truth.length)
      wrong.push(`${customer} has ${stored.length} subscriptions, not ${truth.length}`)
    for (const object of truth) {
      const found = stored.find(({ stripeSubscriptionId: id }) => id === object.id)
      if (!found) continue
      if (found.stripeStatus !== object.status)
        wrong.push(`${object.id} is ${found.stripeStatus}, not ${object.status}`)
      if (!deep) continue
      const items = (list: { price: string; quantity: number }[]) =>
        JSON.stringify(list.toSorted((a, b) => (a.price < b.price ? -1 : 1)))
      const has = items(found.items.map((item) => ({ price: item.stripePriceId, quantity: item.quantity })))
      const should = items(
        object.items.data.map(({ price, quantity }) => ({ price: price.id, quantity: quantity ?? 1 })),
      )
      if (has !== should) wrong.push(`${object.id} has the items ${has}, not ${should}`)
      if (
        (found.cancelAt?.getTime() ?? null) !== (object.cancel_at === null ? null : object.cancel_at * 1000)
      )
        wrong.push(`${object.id} ends at a different time`)
      const chain = found.history.map(({ from, to }) => [from, to])
      const violations = chain.findIndex(([from], at) => from !== (at === 0 ? null : chain[at - 1]?.[1]))
      if (violations >= 0 || chain.at(-1)?.[1] !== object.status)
        wrong.push(`the history of ${object.id} has a gap`)
    }
    const isDeleted = fake.store.customers.get(customer)?.deleted === true
    if (deep) wrong.push(...(await wrongGrants(database, fake, accountId, isDeleted ? [] : truth)))
  }
  return wrong
}
