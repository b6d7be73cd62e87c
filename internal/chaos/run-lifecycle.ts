import { setTimeout as sleep } from 'node:timers/promises'
import { createWebhookHandler, ensureCustomer, prismaStore, reconcile, type Billing } from '@outgrow/billing'
import type { Delivery } from '@outgrow/stripe-fake'
import { act, type Account } from './act.ts'
import { secret, type Arena } from './arena.ts'
import { chancesOf, type Lifecycle } from './lifecycle.ts'
import type { Variant } from './variants.ts'
import { wrongEffects, wrongStates } from './violations.ts'

export interface LifecycleResult {
  deliveries: number
  violations: string[]
}

/**
 * Lives one life: steps happen while events are delivered twice, late, out of order or never, and workers die. Then the
 * queue drains, one reconcile runs, and the database is compared with the stand-in. Where nothing was dropped it is
 * compared before the reconcile too; a broken variant is judged by that alone.
 */
export async function runLifecycle(
  arena: Arena,
  variant: Variant,
  life: Lifecycle,
  name: string,
): Promise<LifecycleResult> {
  const chance = chancesOf(life.seed)
  const fake = arena.renew(name)
  const { database, stripe } = arena
  const store = prismaStore(database)
  const billing: Billing = { store, stripe }
  const handler = createWebhookHandler({ store, secrets: [secret] })
  const accounts: Account[] = []
  for (let at = 0; at < life.accounts; at++) {
    const { id: accountId } = await database.client.account.create({ data: { name, slug: `${name}-${at}` } })
    accounts.push({ accountId, customer: (await ensureCustomer(billing, accountId)).stripeCustomerId })
  }
  const pool: Delivery[] = []
  let deliveries = 0
  const deliver = async (delivery: Delivery): Promise<void> => {
    deliveries++
    const { status } = await handler(fake.deliveries.request('http://app/webhook', delivery))
    if (status !== 200) pool.push(delivery) // Stripe tries again
  }
  const drops = life.drops && variant === 'ours'
  const deliverSome = async (share: number): Promise<void> => {
    for (const delivery of fake.deliveries.take()) {
      if (!(drops && chance() < 0.15)) pool.push(delivery)
      if (chance() < 0.2) pool.push(delivery)
    }
    const now: Delivery[] = []
    for (let left = Math.ceil(pool.length * share); left > 0; left--) {
      now.push(...pool.splice(Math.floor(chance() * pool.length), 1))
    }
    await Promise.all(now.map(deliver))
  }
  for (const step of life.steps) {
    if (step.kind === 'kill-worker') arena.kill(Math.floor(chance() * 4))
    else await act(billing, fake, accounts, step)
    if (chance() < 0.7) await deliverSome(chance())
    if (chance() < 0.3) await sleep(chance() * 15)
  }
  do await deliverSome(1)
  while (pool.length > 0)
  fake.recover()
  const customers = accounts.map(({ customer }) => customer)
  const violations: string[] = []
  if (!(await drained(arena, variant))) violations.push('the queue did not drain within 60 s')
  if (!drops) violations.push(...(await wrongStates(database, fake, accounts, variant !== 'last-write')))
  if (variant !== 'ours') return { deliveries, violations }
  await reconcile(billing, { customers })
  if (!(await drained(arena, variant))) violations.push('the queue did not drain within 60 s')
  violations.push(...(await wrongStates(database, fake, accounts, true)))
  violations.push(...(await wrongEffects(database, fake, customers, arena.sent)))
  return { deliveries, violations }
}

/** Waits until nothing is left to do. What waits for its next attempt is let go at once. */
async function drained({ database: { client } }: Arena, variant: Variant): Promise<boolean> {
  for (const started = Date.now(); Date.now() - started < 60_000;) {
    await client.webhookEvent.updateMany({
      where: { status: 'PENDING', attempts: { gt: 0 }, nextAttemptAt: { gt: new Date() } },
      data: { nextAttemptAt: new Date() },
    })
    await client.outboxMessage.updateMany({
      where: { sentAt: null, leaseUntil: null, nextAttemptAt: { gt: new Date() } },
      data: { nextAttemptAt: new Date() },
    })
    const events = await client.webhookEvent.count({ where: { status: { in: ['PENDING', 'PROCESSING'] } } })
    // Who believes payloads sends nothing.
    const messages =
      variant === 'last-write'
        ? 0
        : await client.outboxMessage.count({ where: { sentAt: null, deadAt: null } })
    if (events === 0 && messages === 0) return true
    await sleep(10)
  }
  return false
}
