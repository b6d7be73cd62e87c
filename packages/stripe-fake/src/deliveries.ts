import { Stripe } from 'stripe'

/** One event on its way to an endpoint. */
export interface Delivery {
  event: Stripe.Event
  /** The raw body. */
  body: string
}

/** The stand-in signs with the SDK's own function, and needs no key for that. */
const signer = new Stripe('sk_test_signer')

/** Events that wait for delivery. Who delivers them decides on order, repeats and losses. */
export class Deliveries {
  readonly secret: string
  #waiting: Delivery[] = []

  constructor(secret: string) {
    this.secret = secret
  }

  add(event: Stripe.Event): void {
    this.#waiting.push({ event, body: JSON.stringify(event) })
  }

  /** Everything that waits, which stays. */
  peek(): readonly Delivery[] {
    return this.#waiting
  }

  /** Lets a delivery wait again. */
  putBack(delivery: Delivery): void {
    this.#waiting.push(delivery)
  }

  /** Takes everything that waits. */
  take(): Delivery[] {
    const taken = this.#waiting
    this.#waiting = []
    return taken
  }

  /** The request that Stripe would make. Signed at `atSeconds`, by default now by the real clock. */
  request(url: string, { body }: Pick<Delivery, 'body'>, atSeconds = Math.floor(Date.now() / 1000)): Request {
    const signature = signer.webhooks.generateTestHeaderString({
      payload: body,
      secret: this.secret,
      timestamp: atSeconds,
    })
    return new Request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature },
      body,
    })
  }
}

/** The thin form of an event: what it is about, and nothing of it. */
export function thinDelivery(event: Stripe.Event): Delivery {
  const { id, object: kind } = event.data.object as { id: string; object: string }
  const body = JSON.stringify({
    id: event.id,
    object: 'v2.core.event',
    type: `v1.${event.type}`,
    created: new Date(event.created * 1000).toISOString(),
    livemode: event.livemode,
    context: event.account ?? null,
    related_object: { id, type: kind, url: `/v1/${kind.replace('.', '/')}s/${id}` },
  })
  return { event, body }
}

export interface DeliveryOptions {
  url: string
  /** Chances between 0 and 1. */
  duplicates?: number
  drops?: number
  /** Deliveries wait up to this long, each for a time of its own: so their order changes. */
  delayMs?: number
  signal: AbortSignal
  onAnswer?(event: Stripe.Event, status: number): void
}

/** Delivers to an address as events occur, trying again after anything but a 2xx, until the signal aborts. */
export async function deliverTo(deliveries: Deliveries, options: DeliveryOptions): Promise<void> {
  const { url, duplicates = 0, drops = 0, delayMs = 0, signal } = options
  const running = new Set<Promise<void>>()
  const send = async (delivery: Delivery): Promise<void> => {
    await pause(Math.random() * delayMs, signal)
    for (let attempt = 1; attempt <= 12 && !signal.aborted; attempt++) {
      const status = await fetch(deliveries.request(url, delivery)).then(
        (answer) => answer.status,
        () => 0, // nobody listens: as an endpoint that is down
      )
      options.onAnswer?.(delivery.event, status)
      if (status >= 200 && status < 300) return
      await pause(Math.min(30_000, 250 * 2 ** attempt), signal)
    }
    if (signal.aborted) deliveries.putBack(delivery)
  }
  const start = (delivery: Delivery) => {
    const one = send(delivery).finally(() => running.delete(one))
    running.add(one)
  }
  while (!signal.aborted) {
    for (const delivery of deliveries.take()) {
      if (Math.random() < drops) continue
      start(delivery)
      if (Math.random() < duplicates) start(delivery)
    }
    await pause(50, signal)
  }
  await Promise.allSettled(running)
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve() // it fires no more
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}
