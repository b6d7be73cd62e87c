import { setTimeout as sleep } from 'node:timers/promises'
import { subscriptions } from '@outgrow/stripe-fake'
import { ask, keepPage, type StepOf } from './ask.ts'
import { drained, endLeases } from './drained.ts'
import { accountAt, customerOf, deliverSome, type Life } from './life.ts'

/** Has Stripe tell of something new, again and again, until a worker that works on it has died at the point. */
export async function dieAt(life: Life, { point }: StepOf<'die-at'>): Promise<void> {
  const { workers, deaths } = life.arena
  const count = () => deaths.get(`worker ${point}`) ?? 0
  const before = count()
  await Promise.all(workers.map((worker) => worker.ready))
  for (const worker of workers) worker.tell({ dieAt: point, times: 1 })
  for (let turn = 0; turn < 5 && count() === before; turn++) {
    await stir(life, turn)
    for (const started = Date.now(); count() === before && Date.now() - started < 6000;) await sleep(5)
  }
  for (const worker of workers) worker.tell({ dieAt: undefined, times: 1 })
  if (count() === before) life.violations.push(`no worker came to the point ${point}`)
  await endLeases(life.arena)
}

/** What is written of it: a subscription that ends and one that begins, other grants, and messages. */
async function stir(life: Life, turn: number): Promise<void> {
  const { store, emit } = life.fake
  const customer = await customerOf(life, 0)
  if (customer === undefined) return
  const [running] = store
    .subscriptionsOf(customer)
    .filter(({ object }) => !['canceled', 'incomplete_expired'].includes(object.status))
  const price = running?.object.items.data[0]?.price.id === 'price_pro' ? 'price_team' : 'price_pro'
  if (running) subscriptions.cancelNow(store, emit, running)
  store.cards.set(customer, 'succeeds')
  subscriptions.subscribe(store, emit, { customer, items: [{ price, quantity: 1 + turn }], trialDays: 0 })
  await deliverSome(life, 1, false)
}

/** The application dies in a change; the next one comes when what it left behind has run out. */
export async function dieChanging(life: Life, { account, point }: StepOf<'die-changing'>): Promise<void> {
  const { application } = life.arena
  const accountId = accountAt(life, account)
  // What there is to change must have been heard of: the last worker died on the way.
  await drained(life, false)
  const customer = await customerOf(life, account)
  const [running] = life.fake.store
    .subscriptionsOf(customer ?? '')
    .filter(({ object }) => object.status === 'active')
  const change = running?.object.cancel_at === null ? 'cancel-later' : 'resume'
  const { died } = await ask(life, { point, times: 1 }, change, accountId)
  if (!died) life.violations.push(`the application did not come to the point ${point} of a change`)
  await application.ready
  application.tell({ clockMs: 300_000 })
  const again = await ask(life, null, change, accountId)
  application.tell({ clockMs: 0 })
  if (again.failure === 'OUTGROW_BILLING_CHANGE_PENDING')
    life.violations.push(`a change that died ${point} stands in the way of the next one for too long`)
}

/** The application dies on the way to a page; whoever waited for it asks again, and pays. */
export async function dieSelling(life: Life, { account, point }: StepOf<'die-selling'>): Promise<void> {
  const accountId = accountAt(life, account)
  const { died } = await ask(life, { point, times: 1 }, 'checkout', accountId, 'pro')
  if (!died) life.violations.push(`the application did not come to the point ${point} of a purchase`)
  const page = await ask(life, null, 'checkout', accountId, 'pro')
  keepPage(life, accountId, page)
  if (page.value === undefined) life.violations.push(`nothing can be bought after a death ${point}`)
  else life.fake.completeCheckout(page.value)
}
