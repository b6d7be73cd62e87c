import { setTimeout as sleep } from 'node:timers/promises'
import { createWebhookHandler, ensureCustomer, prismaStore, reconcile } from '@outgrow/billing'
import { act } from './act.ts'
import { secret, type Arena } from './arena.ts'
import { changesRunOut } from './ask.ts'
import { drained } from './drained.ts'
import { budget, overBudget } from './judge/budget.ts'
import { boughtTwice } from './judge/checkout.ts'
import { customersOf, twoCustomers } from './judge/customers.ts'
import { wrongEffects } from './judge/effects.ts'
import { burnedAttempts, stuckEvents } from './judge/events.ts'
import { wrongStates } from './judge/states.ts'
import { deliverSome, type Life } from './life.ts'
import { stormed } from './storm.ts'
import { chancesOf, type Lifecycle } from './lifecycle.ts'
import type { Variant } from './variants.ts'

export interface LifecycleResult {
  deliveries: number
  /** Calls that Stripe refused for there were too many. */
  refusals: number
  /** Messages that went out, repeats too. */
  sent: number
  violations: string[]
}

/**
 * Lives one life: steps happen while events are delivered twice, late, out of order or never, and processes die. Then the
 * queue drains, one reconcile runs, and the database is compared with the stand-in. Where nothing was dropped it is
 * compared before the reconcile too; who believes payloads is judged by that alone.
 */
export async function runLifecycle(
  arena: Arena,
  variant: Variant,
  plan: Lifecycle,
  name: string,
): Promise<LifecycleResult> {
  const fake = arena.renew(name)
  const { database, stripe, gateway, workers, ledger } = arena
  const store = prismaStore(database)
  const life: Life = {
    arena,
    plan,
    fake,
    billing: { store, stripe },
    handler: createWebhookHandler({ store, secrets: [secret] }),
    chance: chancesOf(plan.seed),
    accounts: [],
    pages: new Map(),
    pool: [],
    deliveries: 0,
    violations: [],
  }
  const { accounts, violations, chance, pool } = life
  for (let at = 0; at < plan.accounts; at++) {
    const { id } = await database.client.account.create({ data: { name, slug: `${name}-${at}` } })
    accounts.push(id)
    // Whose first purchase it is gets a customer then.
    if (plan.about !== 'checkout' && plan.about !== 'every point') await ensureCustomer(life.billing, id)
  }
  const isLimited = plan.about === 'storm' || plan.about === 'rush'
  if (isLimited) await Promise.all(workers.map((worker) => worker.budget(budget)))
  const startedMs = Date.now()
  const believes = variant === 'last-write'
  const drops = plan.drops && variant === 'ours'
  for (const step of plan.steps) {
    await act(life, step)
    violations.push(...boughtTwice(fake))
    // Whoever buys is there before Stripe's events are.
    if (chance() < (plan.about === 'checkout' ? 0.2 : 0.7)) await deliverSome(life, chance(), drops)
    if (plan.about === 'rush') await sleep(30)
    else if (chance() < 0.3) await sleep(chance() * 15)
  }
  await stormed(life)
  fake.recover()
  // What they have under way fails once more, and ends.
  const cutOff = [...gateway.cutOff]
  for (const at of cutOff) await workers[at]?.restart()
  gateway.recover()
  await changesRunOut(life)
  do await deliverSome(life, 1, drops)
  while (pool.length > 0)
  for (const worker of workers) worker.tell({ dieAt: undefined, times: 1 })
  const late = 'the queue did not drain within 60 s'
  if (!(await drained(life, !believes))) violations.push(late)
  for (const worker of workers) worker.tell({ clockMs: 0 })
  const customers = accounts.flatMap((account) => customersOf(fake, account))
  const recorded = await ledger.take()
  if (isLimited) {
    violations.push(...(await burnedAttempts(database, customers, recorded.failures)))
    violations.push(...overBudget(gateway.calls, startedMs))
    await Promise.all(workers.map((worker) => worker.budget(Infinity)))
  }
  violations.push(...twoCustomers(fake, accounts))
  if (!drops) violations.push(...(await wrongStates(database, fake, accounts, !believes)))
  if (!believes) {
    await reconcile(life.billing, { customers })
    if (!(await drained(life, true))) violations.push(late)
    violations.push(...(await wrongStates(database, fake, accounts, true)))
    violations.push(...(await wrongEffects(database, fake, gateway.sent)))
    violations.push(...(await stuckEvents(database, customers)))
  }
  violations.push(...gateway.wrong, ...recorded.wrong, ...(await ledger.take()).wrong)
  const refusals = gateway.calls.filter(({ isRefused }) => isRefused).length
  return {
    deliveries: life.deliveries,
    refusals,
    sent: gateway.sent.length,
    violations: [...new Set(violations)],
  }
}
