/** The application's process of the chaos run: what its pages do, asked for by the run. */
import { listen, report, reportReady, visit, type Order } from './child.ts'
import {
  cancel,
  changePlan,
  completeCheckout,
  createCheckout,
  openStripe,
  pause,
  prismaStore,
  resume,
  takeBackChange,
  type Billing,
} from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { Failure, messageOf } from '@outgrow/kit'
import { withPoints } from './points.ts'
import { storeOf, type Variant } from './variants.ts'

const database = await openDatabase(process.env.DATABASE_URL ?? '')
const stripe = openStripe()
const [variant = 'ours'] = process.argv.slice(2) as Variant[]
let billing = billingOf(variant === 'local-checkout' ? 'ours' : variant)
let pages = billingOf(variant)

const actions: Record<string, (accountId: string, argument: string) => Promise<unknown>> = {
  checkout: async (accountId, planId) => {
    const page = await createCheckout(pages, {
      accountId,
      planId,
      successUrl: 'http://app/',
      cancelUrl: 'http://app/',
    })
    return page.id
  },
  return: (accountId, sessionId) => completeCheckout(billing, accountId, sessionId),
  'cancel-now': (accountId) => cancel(billing, accountId, 'now'),
  'cancel-later': (accountId) => cancel(billing, accountId),
  resume: (accountId) => resume(billing, accountId),
  pause: (accountId) => pause(billing, accountId),
  change: (accountId, planId) => changePlan(billing, accountId, { planId }),
  seats: (accountId, planId) => changePlan(billing, accountId, { seats: planId === 'team' ? 3 : 1 }),
  'take-back': (accountId) => takeBackChange(billing, accountId),
}

listen({
  onAsk: (order) => void answer(order),
  onUse(variant) {
    billing = billingOf(variant === 'local-checkout' ? 'ours' : variant)
    pages = billingOf(variant)
    reportReady()
  },
})
reportReady()

function billingOf(variant: Variant): Billing {
  return { store: withPoints(storeOf(variant, prismaStore(database), database), visit), stripe }
}

async function answer({ ask, action, accountId, argument }: Extract<Order, { ask: number }>): Promise<void> {
  try {
    const attempt = actions[action]
    if (!attempt) throw new Error(`no action ${action}`)
    const value = await attempt(accountId, argument)
    report({ answer: ask, ...(typeof value === 'string' ? { value } : {}) })
  } catch (error) {
    if (error instanceof Failure) report({ answer: ask, failure: error.code })
    else report({ answer: ask, ...(isStripes(error) ? { failure: 'Stripe' } : { bug: messageOf(error) }) })
  }
}

/** Stripe's own refusals, and its faults. */
function isStripes(error: unknown): boolean {
  return error instanceof Error && String((error as { type?: unknown }).type).startsWith('Stripe')
}
