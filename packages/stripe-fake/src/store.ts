import { deserialize, serialize } from 'node:v8'
import type { Stripe } from 'stripe'
import type { Seconds } from './clock.ts'
import { noSuch } from './errors.ts'

/** How the customer's card answers: set on the pages, or by a test. */
export type Card = 'succeeds' | 'fails'

/** What the stand-in keeps beside a subscription's public fields. */
export interface SubscriptionState {
  object: Stripe.Subscription
  /** When the open invoice is tried again; undefined when nothing is owed. */
  retryAt: Seconds | undefined
  retries: number
  trialWillEndSent: boolean
}

/** Everything that exists at this Stripe, by id and in the order of creation. */
export class Store {
  now: Seconds
  readonly customers = new Map<string, Stripe.Customer | Stripe.DeletedCustomer>()
  readonly cards = new Map<string, Card>()
  readonly products = new Map<string, Stripe.Product>()
  readonly prices = new Map<string, Stripe.Price>()
  readonly subscriptions = new Map<string, SubscriptionState>()
  readonly invoices = new Map<string, Stripe.Invoice>()
  readonly charges = new Map<string, Stripe.Charge>()
  readonly refunds = new Map<string, Stripe.Refund>()
  readonly disputes = new Map<string, Stripe.Dispute>()
  readonly sessions = new Map<string, Stripe.Checkout.Session>()
  readonly portals = new Map<string, Stripe.BillingPortal.Session>()
  /** Lookup keys of the features a product carries. */
  readonly features = new Map<string, string[]>()
  readonly events = new Map<string, Stripe.Event>()
  readonly #counts = new Map<string, number>()

  readonly #namespace: string

  constructor(now: Seconds, namespace: string) {
    this.now = now
    this.#namespace = namespace
  }

  /** Everything that exists, for `restore`. */
  save(): Uint8Array {
    const maps = Object.entries(this).filter(
      (entry): entry is [string, Map<string, unknown>] => entry[1] instanceof Map,
    )
    return serialize({ now: this.now, namespace: this.#namespace, counts: this.#counts, maps: new Map(maps) })
  }

  /** The store that `save` was asked of, with the same objects and ids that go on. */
  static restore(bytes: Uint8Array): Store {
    const { now, namespace, counts, maps } = deserialize(bytes) as {
      now: Seconds
      namespace: string
      counts: Map<string, number>
      maps: Map<string, Map<string, unknown>>
    }
    const store = new Store(now, namespace)
    for (const [prefix, count] of counts) store.#counts.set(prefix, count)
    const own = new Map(Object.entries(store).filter(([, value]) => value instanceof Map)) as typeof maps
    for (const [name, entries] of maps) for (const [id, object] of entries) own.get(name)?.set(id, object)
    return store
  }

  /** `cus_fake000001`, `evt_fake000042`: the same ids for the same calls. */
  id(prefix: string): string {
    const count = (this.#counts.get(prefix) ?? 0) + 1
    this.#counts.set(prefix, count)
    return `${prefix}_${this.#namespace}${String(count).padStart(6, '0')}`
  }

  customer(id: string): Stripe.Customer {
    const customer = this.customers.get(id)
    if (customer === undefined || customer.deleted) throw noSuch('customer', id)
    return customer
  }

  price(id: string): Stripe.Price {
    return known(this.prices, 'price', id)
  }

  subscription(id: string): SubscriptionState {
    return known(this.subscriptions, 'subscription', id)
  }

  subscriptionsOf(customer: string): SubscriptionState[] {
    return [...this.subscriptions.values()].filter(({ object }) => object.customer === customer)
  }

  invoicesOf(subscription: string): Stripe.Invoice[] {
    return [...this.invoices.values()].filter(
      ({ parent }) => parent?.subscription_details?.subscription === subscription,
    )
  }
}

export function known<Value>(map: Map<string, Value>, kind: string, id: string): Value {
  const value = map.get(id)
  if (value === undefined) throw noSuch(kind, id)
  return value
}
