import { Stripe } from 'stripe'
import type { StripeFakeServer } from '../src/index.ts'

/** A customer in front of a browser without scripts: it reads pages and presses their buttons. */
export async function openPages({ fake, url }: StripeFakeServer) {
  const stripe = new Stripe('sk_test_any', {
    host: '127.0.0.1',
    port: Number(new URL(url).port),
    protocol: 'http',
    maxNetworkRetries: 0,
  })
  const pro = fake.addPrice({ name: 'Pro', amount: 1900 }).id
  const { id: customer } = await stripe.customers.create({ email: 'a@example.com' })
  return {
    fake,
    stripe,
    customer,
    pro,
    checkout: async (options: Stripe.Checkout.SessionCreateParams = {}) => {
      const session = await stripe.checkout.sessions.create({
        customer,
        mode: 'subscription',
        line_items: [{ price: pro, quantity: 1 }],
        success_url: 'http://app/done',
        cancel_url: 'http://app/plans',
        ...options,
      })
      return { id: session.id, url: session.url ?? '' }
    },
    read: async (page: string) => (await fetch(new URL(page, url))).text(),
    /** Where a form's answer leads. */
    press: async (page: string, fields: Record<string, string>) => {
      const body = new URLSearchParams(fields)
      const answer = await fetch(new URL(page, url), { method: 'POST', body, redirect: 'manual' })
      return answer.headers.get('location') ?? `status ${answer.status}`
    },
  }
}
