/** Signs bodies with the SDK's own function, and ends when its parent has them. */
import { Stripe } from 'stripe'

const { webhooks } = new Stripe('sk_test_signer')

process.once('message', ({ bodies, secret }: { bodies: string[]; secret: string }) => {
  const timestamp = Math.floor(Date.now() / 1000)
  process.send?.(bodies.map((payload) => webhooks.generateTestHeaderString({ payload, secret, timestamp })))
})
process.once('disconnect', () => process.exit())
