import { setTimeout as sleep } from 'node:timers/promises'
import type { Stripe } from 'stripe'
import { Failure } from '@outgrow/kit'

/** Of Stripe's default limit of 25 calls a second an endpoint: what is left is for others. */
const defaultCallsPerSecond = 20

/** Calls that may be made at once after a rest, as a share of a second's. */
const burst = 1 / 4

export interface BudgetClock {
  /** Milliseconds. */
  now(): number
  wait(ms: number): Promise<void>
}

const realClock: BudgetClock = { now: () => performance.now(), wait: (ms) => sleep(ms) }

/** Spreads calls, so that each endpoint gets at most so many a second. Those that wait go in the order in which they came. */
export class CallBudget {
  perSecond: number
  readonly #clock: BudgetClock
  /** By endpoint: when all that was taken is used up. */
  readonly #spent = new Map<string, number>()

  constructor(perSecond = defaultCallsPerSecond, clock = realClock) {
    this.perSecond = perSecond
    this.#clock = clock
  }

  /** Resolves when a call may be made. */
  async take(endpoint: string): Promise<void> {
    if (this.perSecond === Infinity) return
    const now = this.#clock.now()
    const intervalMs = 1000 / this.perSecond
    const free = Math.max(this.#spent.get(endpoint) ?? 0, now)
    this.#spent.set(endpoint, free + intervalMs)
    const waitMs = free - now - intervalMs * Math.max(0, Math.floor(this.perSecond * burst) - 1)
    if (waitMs > 0) await this.#clock.wait(waitMs)
  }
}

/** What Stripe counts together: `GET /v1/customers/:id`. */
export function endpointOf(method: string, path: string): string {
  const [address = ''] = path.split('?')
  const parts = address.split('/').map((part, at) => (at > 1 && /[\dA-Z]/.test(part) ? ':id' : part))
  return `${method} ${parts.join('/')}`
}

const budgets = new WeakMap<Stripe, CallBudget>()

/**
 * Gives a Stripe client a budget of calls, which all that use it in this process share. It is asked before each call, pages
 * and retries of the SDK included.
 * @param perSecond for each endpoint; 20 where nobody says another
 * @throws Failure OUTGROW_OPTION_INVALID
 */
export function limitCalls(stripe: Stripe, perSecond?: number): CallBudget {
  if (perSecond !== undefined && !(perSecond > 0)) {
    throw new Failure({
      code: 'OUTGROW_OPTION_INVALID',
      message: `${perSecond} is not a number of Stripe calls a second.`,
      fix: 'Pass a number above 0, for example 20; Infinity sets no limit.',
    })
  }
  const known = budgets.get(stripe)
  if (known) {
    known.perSecond = perSecond ?? known.perSecond
    return known
  }
  const budget = new CallBudget(perSecond)
  budgets.set(stripe, budget)
  // The SDK takes a client for HTTP only when it is made, and applications make their own: so it is exchanged.
  const http = stripe.getApiField('httpClient') as Stripe.HttpClient
  stripe._setApiField('httpClient', {
    getClientName: () => http.getClientName(),
    makeRequest: async (...request: Parameters<Stripe.HttpClient['makeRequest']>) => {
      await budget.take(endpointOf(request[3], request[2]))
      return http.makeRequest(...request)
    },
  })
  return budget
}
