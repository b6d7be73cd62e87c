import { Stripe } from 'stripe'
import { Failure, messageOf } from '@outgrow/kit'
import type { EventHooks } from '../hooks/on-event.ts'
import { parseEventText } from './parse-event.ts'
import { readBody } from './read-body.ts'
import type { BillingStore } from '../store.ts'
import { storeEvent } from './store-event.ts'

export interface WebhookOptions {
  store: BillingStore
  /** Signing secrets of the endpoint, `whsec_…`: two while one is being replaced. */
  secrets: readonly string[]
  /** The application's hooks, as its workers have them: events of other types are stored as ignored. */
  onEvent?: EventHooks | undefined
  /** How old a signature may be, in seconds. */
  toleranceSeconds?: number
  /** Largest body that is read. */
  maxBytes?: number
  /** Called with what could not be stored, without payload or secrets. Printed on stderr by default. */
  onError?: (message: string) => void
}

export type WebhookHandler = (request: Request) => Promise<Response>

/** The SDK checks signatures; it needs no key for that. */
const verifier = new Stripe('sk_test_verifier').webhooks.signature as NonNullable<
  Stripe['webhooks']['signature']
>
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Makes the handler that Stripe's deliveries go to. It stores one row an event and does nothing else.
 * Answers: 200 stored, or known already; 400 no valid signature, or no event; 405 another method; 413 too large;
 * 503 the database cannot take it now. Never 200 without a committed row.
 * @throws Failure OUTGROW_WEBHOOK_SECRET when a secret is missing or is none
 */
export function createWebhookHandler(options: WebhookOptions): WebhookHandler {
  const {
    store,
    secrets,
    onEvent,
    toleranceSeconds = 300,
    maxBytes = 1024 * 1024,
    onError = console.error,
  } = options
  // Since stripe-node 23 a tolerance of 0 would skip the check of the time.
  if (
    secrets.length === 0 ||
    !secrets.every((secret) => /^whsec_\w+$/.test(secret)) ||
    !(toleranceSeconds > 0)
  ) {
    throw new Failure({
      code: 'OUTGROW_WEBHOOK_SECRET',
      message: 'A webhook handler needs secrets that start with whsec_, and a tolerance above 0.',
      why: 'Without them, anyone could forge events.',
      fix: 'Set STRIPE_WEBHOOK_SECRET to the signing secret of the endpoint in Stripe’s dashboard.',
    })
  }
  return async (request) => {
    if (request.method !== 'POST') return answer(405, 'Only POST', { allow: 'POST' })
    let bytes: Uint8Array | undefined
    try {
      bytes = await readBody(request, maxBytes)
    } catch {
      return answer(400, 'The body could not be read')
    }
    if (bytes === undefined) return answer(413, 'Too large')
    const header = request.headers.get('stripe-signature') ?? ''
    if (!isSigned(bytes, header, secrets, toleranceSeconds)) return answer(400, 'No valid signature')
    const payload = textOf(bytes)
    const event = payload === undefined ? undefined : parseEventText(payload)
    if (payload === undefined || event === undefined) return answer(400, 'Not a Stripe event')
    try {
      const isNew = await storeEvent(store, event, payload, { onEvent })
      return answer(200, isNew ? 'Stored' : 'Known')
    } catch (error) {
      onError(`${event.stripeEventId} could not be stored: ${messageOf(error).split('\n').at(-1)}`)
      return answer(503, 'Try again', { 'retry-after': '5' })
    }
  }
}

function isSigned(
  bytes: Uint8Array,
  header: string,
  secrets: readonly string[],
  toleranceSeconds: number,
): boolean {
  for (const secret of secrets) {
    try {
      if (verifier.verifyHeader(bytes, header, secret, toleranceSeconds)) return true
    } catch {
      // Not signed with this one: that is the answer.
    }
  }
  return false
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined // no UTF-8, so no JSON
  }
}

function answer(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, { status, headers })
}
