import { cancel, changePlan, resume, type Billing } from '@outgrow/billing'
import { day, subscriptions, type StripeFake } from '@outgrow/stripe-fake'
import { Failure } from '@outgrow/kit'
import type { Step } from './lifecycle.ts'

export interface Account {
  accountId: string
  customer: string
}

/** Lets a step happen. What is not possible in the state that Stripe is in does not happen. */
export async function act(
  billing: Billing,
  fake: StripeFake,
  accounts: Account[],
  step: Step,
): Promise<void> {
  try {
    await attempt(billing, fake, accounts, step)
  } catch (error) {
    const isStripes =
      error instanceof Error && ('headers' in error || 'requestId' in error || 'rawType' in error)
    if (!(error instanceof Failure) && !isStripes) throw error
  }
}

async function attempt(billing: Billing, fake: StripeFake, accounts: Account[], step: Step): Promise<void> {
  const { store, emit } = fake
  if (step.kind === 'advance') return fake.advance(step.days * day)
  if (step.kind === 'fault') return fake.fail({ status: step.status, times: step.times })
  if (step.kind === 'slow') {
    fake.latencyMs = step.ms
    return
  }
  if (step.kind === 'kill-worker') return
  const { accountId, customer } = accounts[step.account % accounts.length] as Account
  const running = store
    .subscriptionsOf(customer)
    .filter(({ object }) => !['canceled', 'incomplete_expired'].includes(object.status))
  const [first] = running
  switch (step.kind) {
    case 'subscribe':
      subscriptions.subscribe(store, emit, {
        customer,
        items: [{ price: `price_${step.plan}`, quantity: 1 }],
        trialDays: step.trial ? 7 : 0,
      })
      return
    case 'two-checkouts':
      for (const plan of ['pro', 'team']) {
        const session = await billing.stripe.checkout.sessions.create({
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
    case 'app-cancel':
      return cancel(billing, accountId, 'now')
    case 'app-resume':
      return resume(billing, accountId)
    case 'app-change':
      await changePlan(billing, accountId, { planId: 'team' })
      return
    case 'pay-owed':
    case 'cancel-now':
    case 'cancel-later':
    case 'keep':
    case 'pause':
    case 'resume':
    case 'change-plan':
    case 'touch':
      if (first) change(fake, first, step)
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
