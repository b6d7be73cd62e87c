import { ApiError } from './errors.ts'

/** How many requests a second are answered: Stripe's own are 100 in live mode, 25 in a sandbox, and 25 an endpoint. */
export interface RateLimits {
  perSecond?: number
  /** An endpoint is an operation: `GET /v1/invoices/:id`, whatever the id. */
  perEndpointPerSecond?: number
  /** In `Retry-After`, which Stripe does not promise; without it there is none. */
  retryAfterSeconds?: number
  /** Milliseconds by which seconds are counted; the machine's own, not the virtual clock. */
  nowMs?: () => number
}

interface Bucket {
  tokens: number
  atMs: number
}

/** A bucket of tokens for all and one an endpoint, each filled again within a second. */
export class Limiter {
  readonly #limits: RateLimits
  readonly #buckets = new Map<string, Bucket>()

  constructor(limits: RateLimits) {
    this.#limits = limits
  }

  /** Counts a request. What it returns refuses it. */
  take(endpoint: string): ApiError | undefined {
    const { perSecond, perEndpointPerSecond, retryAfterSeconds } = this.#limits
    if (!this.#has('', perSecond)) return tooMany('global-rate', retryAfterSeconds)
    if (!this.#has(endpoint, perEndpointPerSecond)) return tooMany('endpoint-rate', retryAfterSeconds)
    return undefined
  }

  #has(name: string, perSecond: number | undefined): boolean {
    if (perSecond === undefined) return true
    const now = (this.#limits.nowMs ?? performance.now.bind(performance))()
    const { tokens, atMs } = this.#buckets.get(name) ?? { tokens: perSecond, atMs: now }
    const filled = Math.min(perSecond, tokens + ((now - atMs) / 1000) * perSecond)
    const isLeft = filled >= 1
    this.#buckets.set(name, { tokens: isLeft ? filled - 1 : filled, atMs: now })
    return isLeft
  }
}

export type RateLimitReason = 'global-rate' | 'endpoint-rate'

export function tooMany(reason: RateLimitReason, retryAfterSeconds?: number): ApiError {
  return new ApiError(
    429,
    'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.',
    {
      code: 'rate_limit',
      headers: {
        'stripe-rate-limited-reason': reason,
        ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
      },
    },
  )
}
