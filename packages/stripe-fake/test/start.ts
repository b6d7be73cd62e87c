import { Stripe } from 'stripe'
import { StripeFake } from '../src/index.ts'

/** A stand-in with two prices, and stripe-node that talks to it. */
export function start(options: ConstructorParameters<typeof StripeFake>[0] = {}) {
  const fake = new StripeFake(options)
  const stripe = new Stripe('sk_test_any', {
    httpClient: Stripe.createFetchHttpClient(fake.fetch),
    maxNetworkRetries: 0,
  })
  const pro = fake.addPrice({ name: 'Pro', amount: 1000 }).id
  const team = fake.addPrice({ name: 'Team', amount: 3000 }).id
  const subscribe = async (price = pro, quantity = 1) => {
    const { id: customer } = await stripe.customers.create({ email: 'a@example.com' })
    const subscription = await stripe.subscriptions.create({ customer, items: [{ price, quantity }] })
    fake.deliveries.take()
    const [item] = subscription.items.data
    if (!item) throw new Error('no item')
    return {
      customer,
      id: subscription.id,
      item: item.id,
      start: item.current_period_start,
      end: item.current_period_end,
    }
  }
  return {
    fake,
    stripe,
    pro,
    team,
    subscribe,
    /** Types of the events since the last time. */
    types: () => fake.deliveries.take().map(({ event }) => event.type),
  }
}
