import { Stripe } from 'stripe'
import { z } from 'zod'
import { Failure } from '@outgrow/kit'
import { parseEnv } from '@outgrow/kit/env'
import { limitCalls } from './call-budget.ts'

const shape = {
  STRIPE_SECRET_KEY: z
    .string()
    .regex(/^(sk|rk)_(test|live)_\w+$/, 'a key that starts with sk_test_, sk_live_ or rk_'),
  STRIPE_API_BASE: z.url({ protocol: /^https?$/ }).optional(),
}

/** A request to Stripe ends by then, retries of the SDK apart: a lease on an event must be longer. */
const stripeTimeoutMs = 15_000

/**
 * The Stripe client of the environment, with a budget of calls: `STRIPE_SECRET_KEY`, and `STRIPE_API_BASE` for a stand-in on this machine,
 * which has no limit.
 * @throws Failure OUTGROW_ENV_INVALID
 */
export function openStripe(env: Record<string, string | undefined> = process.env): Stripe {
  const { STRIPE_SECRET_KEY: key, STRIPE_API_BASE: base } = parseEnv(shape, env)
  const options = { timeout: stripeTimeoutMs, maxNetworkRetries: 1, telemetry: false }
  if (base === undefined) return limited(new Stripe(key, options))
  const { protocol, hostname, port } = new URL(base)
  if (key.includes('_live_')) {
    throw new Failure({
      code: 'OUTGROW_ENV_INVALID',
      message: 'STRIPE_API_BASE is set, but the key is a live key.',
      why: 'A live key must never be sent to a stand-in.',
      fix: 'Use a key that starts with sk_test_, or unset STRIPE_API_BASE.',
    })
  }
  const standIn = new Stripe(key, {
    ...options,
    host: hostname,
    port: port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port),
    protocol: protocol === 'http:' ? 'http' : 'https',
  })
  return limited(standIn, Infinity)
}

function limited(stripe: Stripe, perSecond?: number): Stripe {
  limitCalls(stripe, perSecond)
  return stripe
}
