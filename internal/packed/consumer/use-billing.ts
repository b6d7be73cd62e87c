import {
  createWebhookHandler,
  definePlans,
  ensureCustomer,
  limitOf,
  runWorker,
  syncPlans,
  type BillingStore,
} from '@outgrow/billing'
import { StripeFake } from '@outgrow/stripe-fake'
import { Stripe } from 'stripe'
import { openStore } from './billing-store.ts'

const secret = 'whsec_packed'
const fake = new StripeFake({ webhookSecret: secret, now: Math.floor(Date.now() / 1000) + 60 })
fake.addPrice({ id: 'price_pro', name: 'Pro', amount: 1900 })
const stripe = new Stripe('sk_test_packed', { httpClient: Stripe.createFetchHttpClient(fake.fetch) })
const { store, accountId, close }: { store: BillingStore; accountId: string; close(): Promise<void> } =
  await openStore()
const plans = definePlans({
  plans: [
    { id: 'pro', name: 'Pro', priceId: 'price_pro', amount: 1900, currency: 'usd', features: { seats: 3 } },
  ],
})
await syncPlans(store, plans)
const billing = { store, stripe, now: () => new Date(fake.store.now * 1000) }
const { stripeCustomerId: customer } = await ensureCustomer(billing, accountId)
await stripe.subscriptions.create({ customer, items: [{ price: 'price_pro' }] })
const receive = createWebhookHandler({ store, secrets: [secret] })
const [delivery, ...others] = fake.deliveries.take()
if (!delivery) throw new Error('nothing was delivered')
const request = () => fake.deliveries.request('http://localhost/webhooks', delivery)
const first = await receive(request())
const again = await receive(request())
const unsigned = await receive(new Request('http://localhost/webhooks', { method: 'POST', body: '{}' }))
for (const other of others) await receive(fake.deliveries.request('http://localhost/webhooks', other))
await runWorker({ ...billing, untilEmpty: true, send: () => Promise.resolve() })
const seats = await limitOf(store, accountId, 'seats')
process.stdout.write(
  JSON.stringify({
    first: first.status,
    again: again.status,
    unsigned: unsigned.status,
    seats: String(seats),
  }),
)
await close()
