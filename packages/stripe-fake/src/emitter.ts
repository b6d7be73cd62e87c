import { Stripe } from 'stripe'
import type { Store } from './store.ts'

/** Records an event about an object, as it is now. */
export type Emitter = (type: Stripe.Event['type'], object: object) => void

export const apiVersion: string = Stripe.API_VERSION

/** Events are snapshots: later changes of the object do not show in them. */
export function emitterOf(
  store: Store,
  account: string | undefined,
  onEvent: (event: Stripe.Event) => void,
): Emitter {
  return (type, object) => {
    const event = {
      id: store.id('evt'),
      object: 'event',
      ...(account === undefined ? {} : { account }),
      api_version: apiVersion,
      created: store.now,
      data: { object: structuredClone(object) },
      livemode: false,
      pending_webhooks: 1,
      request: { id: null, idempotency_key: null },
      type,
    } as Stripe.Event
    store.events.set(event.id, event)
    onEvent(event)
  }
}
