import { setTimeout as sleep } from 'node:timers/promises'
import { subscriptions } from '@outgrow/stripe-fake'
import { concurrency, customerOf, deliver, type Life } from './life.ts'

/**
 * Many events of one customer are there before one of another is: how often is the first customer synchronised before
 * the other is for the first time? Counted, not timed: each place of a worker may have begun with the first one.
 */
export async function flood(life: Life, account: number): Promise<void> {
  const { arena, fake, violations } = life
  const { workers, gateway, database } = arena
  const [loud, quiet] = [await customerOf(life, account), await customerOf(life, account + 1)]
  if (loud === undefined || quiet === undefined) return
  const places = workers.length * concurrency
  await Promise.all(workers.map((worker) => worker.hold(true)))
  life.pool.push(...fake.deliveries.take())
  for (let event = 0; event < 6 * places; event++) touch(life, loud)
  const many = fake.deliveries.take()
  for (const delivery of many) await deliver(life, delivery)
  touch(life, quiet)
  for (const delivery of fake.deliveries.take()) await deliver(life, delivery)
  const before = gateway.calls.length
  await Promise.all(workers.map((worker) => worker.hold(false)))
  const isWaiting = () =>
    database.client.webhookEvent.count({
      where: { customerId: quiet, status: { in: ['PENDING', 'PROCESSING'] } },
    })
  for (const started = Date.now(); (await isWaiting()) > 0 && Date.now() - started < 30_000;) await sleep(5)
  const looks = gateway.calls
    .slice(before)
    .filter(({ caller, endpoint }) => caller === 'worker' && endpoint === 'GET /v1/subscriptions')
    .map(({ customer }) => customer)
  const first = looks.indexOf(quiet)
  const waited = (first < 0 ? looks : looks.slice(0, first)).filter((customer) => customer === loud).length
  if (waited > places)
    violations.push(`${quiet} waited for ${waited} synchronisations of ${loud}; ${places} may be under way`)
}

/** Something that Stripe tells of, and that changes nothing. */
function touch({ fake: { store, emit } }: Life, customer: string): void {
  const [known] = store.subscriptionsOf(customer)
  const state =
    known ??
    subscriptions.subscribe(store, emit, {
      customer,
      items: [{ price: 'price_pro', quantity: 1 }],
      trialDays: 0,
    })
  emit('customer.subscription.updated', state.object)
}
