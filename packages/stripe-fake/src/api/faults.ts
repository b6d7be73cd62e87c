import { ApiError } from './errors.ts'
import { Limiter, tooMany, type RateLimits } from './limits.ts'

/** Something that goes wrong with the next requests. */
export interface Fault {
  status: 429 | 500 | 503
  /** How many requests it hits. */
  times: number
  retryAfterSeconds?: number
}

/** Requests are refused with 429, however few they are. */
export interface Storm {
  /** Which part of them, from 0 to 1; all by default. */
  share?: number
  retryAfterSeconds?: number
  /** Decides which, where it is not all of them. */
  chance?: () => number
}

/** What keeps requests from being answered. Connected accounts share it. */
export class Faults {
  readonly #faults: Fault[] = []
  #storm: Storm | undefined
  #limits: RateLimits | undefined
  readonly #limiters = new Map<string, Limiter>()
  /** How often each endpoint was asked, and what was refused for its rate: `GET /v1/customers/:id`. */
  readonly calls = new Map<string, { answered: number; limited: number }>()

  fail(fault: Fault): void {
    this.#faults.push({ ...fault })
  }

  set storm(storm: Storm | undefined) {
    this.#storm = storm
  }

  set limits(limits: RateLimits | undefined) {
    this.#limits = limits
    this.#limiters.clear()
  }

  clear(): void {
    this.#faults.length = 0
    this.#storm = undefined
  }

  /** Refuses a request for its rate, before anything looks at it. */
  limit(endpoint: string, account: string): ApiError | undefined {
    const refusal = this.#stormed() ?? this.#limiter(account)?.take(endpoint)
    const calls = this.calls.get(endpoint) ?? { answered: 0, limited: 0 }
    calls[refusal ? 'limited' : 'answered']++
    this.calls.set(endpoint, calls)
    return refusal
  }

  /** The fault that hits this request. */
  take(): ApiError | undefined {
    const [fault] = this.#faults
    if (!fault) return undefined
    if (--fault.times <= 0) this.#faults.shift()
    const { status, retryAfterSeconds } = fault
    if (status === 429) return tooMany('global-rate', retryAfterSeconds)
    const headers: Record<string, string> =
      retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
    return new ApiError(status, 'An error occurred at Stripe', { type: 'api_error', headers })
  }

  #stormed(): ApiError | undefined {
    if (!this.#storm) return undefined
    const { share = 1, retryAfterSeconds, chance = Math.random } = this.#storm
    return share >= 1 || chance() < share ? tooMany('global-rate', retryAfterSeconds) : undefined
  }

  /** Stripe counts each account for itself. */
  #limiter(account: string): Limiter | undefined {
    if (!this.#limits) return undefined
    const limiter = this.#limiters.get(account) ?? new Limiter(this.#limits)
    this.#limiters.set(account, limiter)
    return limiter
  }
}
