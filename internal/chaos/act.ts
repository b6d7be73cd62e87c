import { assertNever, Failure } from '@outgrow/kit'
import { day, subscriptions, type StripeFake } from '@outgrow/stripe-fake'
import { askChange, buyTwice, openPage, payPage, twoChanges, twoTabs } from './ask.ts'
import { dieAt, dieChanging, dieSelling } from './die.ts'
import { flood } from './flood.ts'
import { customerOf, type Life } from './life.ts'
import type { Step } from './lifecycle.ts'

/** Lets a step happen. What is not possible in the state that Stripe is in does not happen. */
export async function act(life: Life, step: Step): Promise<void> {
  try {
    await attempt(life, step)
  } catch (error) {
    if (!(error instanceof Failure) && !isStripes(error)) throw error
  }
}

/** A refusal of the stand-in, or an error of Stripe's library. */
function isStripes(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return 'headers' in error || String((error as { type?: unknown }).type).startsWith('Stripe')
}

async function attempt(life: Life, step: Step): Promise<void> {
  const { arena, fake } = life
  const { gateway, workers } = arena
  const { store, emit } = fake
  switch (step.kind) {
    case 'advance':
      return fake.advance(step.days * day)
    case 'fault':
      return fake.fail({ status: step.status, times: step.times })
    case 'slow':
      gateway.transitMs = step.ms
      return
    case 'cut-off': {
      const at = step.worker % workers.length
      // One at least goes on.
      if (gateway.cutOff.size < workers.length - 1) gateway.cutOff.add(at)
      return
    }
    case 'storm':
      gateway.limit = step.limit
      return
    case 'clock':
      return workers[step.worker % workers.length]?.tell({ clockMs: step.minutes * 60_000 })
    case 'kill-worker':
      return workers[step.worker % workers.length]?.kill('anywhere')
    case 'kill-at':
      return workers[step.worker % workers.length]?.tell({ dieAt: step.point, times: step.times })
    case 'die-at':
      return dieAt(life, step)
    case 'die-changing':
      return dieChanging(life, step)
    case 'die-selling':
      return dieSelling(life, step)
    case 'flood':
      return flood(life, step.account)
    case 'open-page':
      return openPage(life, step)
    case 'two-tabs':
      return twoTabs(life, step)
    case 'buy-twice':
      return buyTwice(life, step)
    case 'pay-page':
    case 'decline-page':
      return payPage(life, step)
    case 'change':
      return askChange(life, step)
    case 'two-changes':
      return twoChanges(life, step)
    case 'subscribe':
    case 'two-checkouts':
    case 'card':
    case 'pay-owed':
    case 'cancel-now':
    case 'cancel-later':
    case 'keep':
    case 'pause':
    case 'resume':
    case 'change-plan':
    case 'touch':
    case 'refund':
    case 'dispute':
    case 'close-dispute':
    case 'delete-customer':
      break
    default:
      return assertNever(step)
  }
  const customer = await customerOf(life, step.account)
  if (customer === undefined) return
  switch (step.kind) {
    case 'subscribe':
      subscriptions.subscribe(store, emit, {
        customer,
        items: [{ price: `price_${step.plan}`, quantity: 1 }],
        trialDays: step.trial ? 7 : 0,
      })
      return
    case 'two-checkouts':
      // By payment links, say: nobody asks the application.
      for (const plan of ['pro', 'team']) {
        const session = await arena.stripe.checkout.sessions.create({
          mode: 'subscription',
          customer,
          line_items: [{ price: `price_${plan}`, quantity: 1 }],
          success_url: 'http://app/',
        })
        fake.completeCheckout(session.id)
      }
      return
    case 'card':
      return fake.setCard(customer, step.fails ? 'fails' : 'succeeds')
    case 'refund':
      fake.refund(customer)
      return
    case 'dispute':
      fake.dispute(customer)
      return
    case 'close-dispute': {
      const dispute = [...store.disputes.values()].at(-1)
      if (dispute?.status === 'needs_response') fake.closeDispute(dispute.id, 'won')
      return
    }
    case 'delete-customer':
      fake.deleteCustomer(customer)
      return
    case 'pay-owed':
    case 'cancel-now':
    case 'cancel-later':
    case 'keep':
    case 'pause':
    case 'resume':
    case 'change-plan':
    case 'touch': {
      const running = store
        .subscriptionsOf(customer)
        .find(({ object }) => !['canceled', 'incomplete_expired'].includes(object.status))
      if (running) change(fake, running, step)
    }
  }
}

function change(fake: StripeFake, state: ReturnType<StripeFake['store']['subscription']>, step: Step): void {
  const { store, emit } = fake
  switch (step.kind) {
    case 'pay-owed':
      return subscriptions.payOwed(store, emit, state)
    case 'cancel-now':
      return subscriptions.cancelNow(store, emit, state)
    case 'cancel-later':
      return subscriptions.update(store, emit, state, { cancelAtPeriodEnd: true })
    case 'keep':
      return subscriptions.update(store, emit, state, { cancelAtPeriodEnd: false })
    case 'pause':
      return state.object.status === 'active' ? subscriptions.pause(emit, state) : undefined
    case 'resume':
      return subscriptions.resume(store, emit, state)
    case 'change-plan':
      return subscriptions.update(store, emit, state, {
        price: { item: 'first', price: `price_${step.plan}`, quantity: undefined },
      })
    default:
      return subscriptions.update(store, emit, state, { metadata: { touched: 'yes' } })
  }
}
