import type { Stripe } from 'stripe'

/** An event, for the application's own hooks. */
export interface HookedEvent {
  /** Stripe's id of it. */
  id: string
  type: string
  /** The connected account that it is about, whose ids its objects have; null for the own account. */
  account: string | null
  customerId: string | null
  objectId: string | null
  livemode: boolean
  createdAt: Date | null
  /**
   * The whole event as it was delivered, parsed: of the endpoint's API version, and as things were at that time. Take ids from it,
   * and ask Stripe for the rest. `{}` once `prune` has blanked it.
   */
  payload: unknown
}

/** What goes out through the outbox. */
export interface HookMessage {
  topic: string
  /** Of messages with the same topic and key one is sent, whichever events they are for. The event's id by default. */
  key?: string | undefined
  /** What JSON can say, for `send`: it has it as `payload.data`. */
  data?: unknown
}

/** One of the two. */
export type EventHook<Client> =
  | {
      /**
       * Runs in the transaction that settles the event, once: what it writes with `tx` is kept together with that. A throw
       * takes everything back, and the event is tried again. It must not call Stripe or anything else that takes long.
       */
      inTransaction(tx: Client, event: HookedEvent): Promise<void>
      outbox?: undefined
    }
  | {
      /** What is to be sent, put into the outbox in the transaction that settles the event. */
      outbox(event: HookedEvent): readonly HookMessage[]
      inTransaction?: undefined
    }

/** By type of event. Events that billing handles itself are synchronised first; of connected accounts hooks get all. */
export type EventHooks<Client = unknown> = {
  readonly [Type in Stripe.Event['type'] | `v2.${string}`]?: EventHook<Client> | undefined
}

export function hookOf<Client>(
  hooks: EventHooks<Client> | undefined,
  type: string,
): EventHook<Client> | undefined {
  if (!hooks || !Object.hasOwn(hooks, type)) return undefined
  return hooks[type as keyof EventHooks<Client>]
}

/** The types that there are hooks for. */
export function typesOf(hooks: EventHooks<never> | undefined): string[] {
  return Object.keys(hooks ?? {}).filter((type) => hookOf(hooks, type) !== undefined)
}
