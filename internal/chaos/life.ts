import type { Billing, WebhookHandler } from '@outgrow/billing'
import type { Delivery, StripeFake } from '@outgrow/stripe-fake'
import type { Arena } from './arena.ts'
import type { Lifecycle } from './lifecycle.ts'

/** What a worker works on at a time. */
export const concurrency = 2

/** One life while it is lived. */
export interface Life {
  arena: Arena
  plan: Lifecycle
  fake: StripeFake
  billing: Billing
  handler: WebhookHandler
  chance: () => number
  /** Ids of its accounts. */
  accounts: string[]
  /** Checkout pages that the application gave out, by account, the oldest first. */
  pages: Map<string, string[]>
  /** Deliveries that Stripe has not got rid of yet. */
  pool: Delivery[]
  deliveries: number
  violations: string[]
}

export function accountAt({ accounts }: Life, at: number): string {
  return accounts[at % accounts.length] as string
}

/** Stripe's customer of an account, if it has one yet. */
export async function customerOf(life: Life, account: number): Promise<string | undefined> {
  const customer = await life.billing.store.customers.ofAccount(accountAt(life, account))
  return customer?.stripeCustomerId
}

/** Delivers a share of what waits: some of it twice, some of it never, in any order. */
export async function deliverSome(life: Life, share: number, drops: boolean): Promise<void> {
  const { fake, chance, pool } = life
  for (const delivery of fake.deliveries.take()) {
    if (!(drops && chance() < 0.15)) pool.push(delivery)
    if (chance() < 0.2) pool.push(delivery)
  }
  const now: Delivery[] = []
  for (let left = Math.ceil(pool.length * share); left > 0; left--) {
    now.push(...pool.splice(Math.floor(chance() * pool.length), 1))
  }
  await Promise.all(now.map((delivery) => deliver(life, delivery)))
}

export async function deliver(life: Life, delivery: Delivery): Promise<void> {
  life.deliveries++
  const { status } = await life.handler(life.fake.deliveries.request('http://app/webhook', delivery))
  if (status !== 200) life.pool.push(delivery) // Stripe tries again
}
