import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { StripeFake, subscriptions, type Delivery } from '@outgrow/stripe-fake'
import { secret } from '../../chaos/arena.ts'
import { plans } from '../../chaos/plans.ts'
import { chancesOf } from '../../chaos/lifecycle.ts'

/** A delivery as it arrives. */
export interface SignedDelivery {
  body: string
  signature: string
}

/** A stand-in with the plans' prices. */
export function makeFake(namespace: string): StripeFake {
  const fake = new StripeFake({ webhookSecret: secret, namespace })
  for (const { priceId, name, amount } of plans.plans) fake.addPrice({ id: priceId, name, amount })
  return fake
}

/** Events of customers whose subscriptions come and change, in disorder, a fifth of them twice. */
export function makeDeliveries(
  fake: StripeFake,
  customers: readonly string[],
  total: number,
  seed: number,
): Delivery[] {
  const chance = chancesOf(seed)
  const unique = Math.round(total * 0.8)
  const { store, emit } = fake
  fake.deliveries.take()
  for (const customer of customers) {
    subscriptions.subscribe(store, emit, {
      customer,
      items: [{ price: 'price_pro', quantity: 1 }],
      trialDays: chance() < 0.5 ? 7 : 0,
    })
  }
  while (fake.store.events.size < unique + customers.length * 3) {
    const state = [...store.subscriptions.values()][Math.floor(chance() * store.subscriptions.size)]
    if (state && state.object.status !== 'canceled')
      subscriptions.update(store, emit, state, { cancelAtPeriodEnd: chance() < 0.5 })
  }
  for (const state of store.subscriptions.values())
    if (chance() < 0.5) subscriptions.cancelNow(store, emit, state)
  const deliveries = fake.deliveries.take().slice(-unique)
  while (deliveries.length < total) deliveries.push(deliveries[Math.floor(chance() * unique)] as Delivery)
  return deliveries
    .map((delivery) => ({ delivery, at: chance() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ delivery }) => delivery)
}

/** Signs in another process, as Stripe does: it is no work of those who receive. */
export async function sign(deliveries: readonly Pick<Delivery, 'body'>[]): Promise<SignedDelivery[]> {
  const signer = fork(join(import.meta.dirname, 'signer-process.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  try {
    const bodies = deliveries.map(({ body }) => body)
    signer.send({ bodies, secret })
    const [signatures] = (await once(signer, 'message')) as [string[]]
    return bodies.map((body, at) => ({ body, signature: signatures[at] ?? '' }))
  } finally {
    signer.kill()
  }
}

export function requestOf({ body, signature }: SignedDelivery): Request {
  return new Request('http://app/webhook', {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature },
    body,
  })
}
