import { deserialize, serialize } from 'node:v8'
import type { Stripe } from 'stripe'
import { ApiError, noSuch } from './api/errors.ts'
import type { SubscriptionData } from './billing/checkout.ts'
import type { FieldsChange } from './billing/change-fields.ts'
import type { PlannedItems } from './billing/plan-items.ts'
import type { Seconds } from './clock.ts'
import { fillIn } from './fill-in.ts'

/** How the customer's card answers: set on the pages, or by a test. Without any, payments succeed. */
export type Card = 'succeeds' | 'fails' | 'authenticates' | 'none'

/** What the stand-in keeps beside a subscription's public fields. */
export interface SubscriptionState {
  object: Stripe.Subscription
  /** When the open invoice is tried again; undefined when nothing is owed. */
  retryAt: Seconds | undefined
  retries: number
  trialWillEndSent: boolean
  /** What becomes of the items once an invoice is paid: `pending_if_incomplete`. */
  pending?: { invoice: string; planned: PlannedItems; fields: FieldsChange } | undefined
  /** The invoice whose payment resumes it. */
  resumes?: { invoice: string; until: Seconds } | undefined
}

/** Everything that exists at this Stripe, by id and in the order of creation. */
export class Store {
  now: Seconds
  readonly customers = new Map<string, Stripe.Customer | Stripe.DeletedCustomer>()
  readonly cards = new Map<string, Card>()
  readonly products = new Map<string, Stripe.Product>()
  readonly prices = new Map<string, Stripe.Price>()
  readonly coupons = new Map<string, Stripe.Coupon>()
  readonly promotionCodes = new Map<string, Stripe.PromotionCode>()
  readonly discounts = new Map<string, Stripe.Discount>()
  readonly subscriptions = new Map<string, SubscriptionState>()
  readonly schedules = new Map<string, Stripe.SubscriptionSchedule>()
  readonly invoices = new Map<string, Stripe.Invoice>()
  readonly invoiceItems = new Map<string, Stripe.InvoiceItem>()
  readonly invoicePayments = new Map<string, Stripe.InvoicePayment>()
  readonly paymentIntents = new Map<string, Stripe.PaymentIntent>()
  readonly charges = new Map<string, Stripe.Charge>()
  readonly refunds = new Map<string, Stripe.Refund>()
  readonly disputes = new Map<string, Stripe.Dispute>()
  readonly sessions = new Map<string, Stripe.Checkout.Session>()
  readonly sessionLines = new Map<string, Stripe.LineItem[]>()
  readonly sessionData = new Map<string, SubscriptionData>()
  readonly portals = new Map<string, Stripe.BillingPortal.Session>()
  /** Lookup keys of the features a product carries. */
  readonly features = new Map<string, string[]>()
  readonly events = new Map<string, Stripe.Event>()
  readonly #counts = new Map<string, number>()

  readonly #namespace: string
  /** Address of its pages, which invoices and receipts name. */
  readonly baseUrl: string

  constructor(now: Seconds, namespace: string, baseUrl: string) {
    this.now = now
    this.#namespace = namespace
    this.baseUrl = baseUrl
  }

  /** Everything that exists, for `restore`. */
  save(): Uint8Array {
    const maps = Object.entries(this).filter(
      (entry): entry is [string, Map<string, unknown>] => entry[1] instanceof Map,
    )
    return serialize({ now: this.now, namespace: this.#namespace, counts: this.#counts, maps: new Map(maps) })
  }

  /** The store that `save` was asked of, with the same objects and ids that go on. */
  static restore(bytes: Uint8Array, baseUrl: string): Store {
    const { now, namespace, counts, maps } = deserialize(bytes) as {
      now: Seconds
      namespace: string
      counts: Map<string, number>
      maps: Map<string, Map<string, unknown>>
    }
    const store = new Store(now, namespace, baseUrl)
    for (const [prefix, count] of counts) store.#counts.set(prefix, count)
    const own = new Map(Object.entries(store).filter(([, value]) => value instanceof Map)) as typeof maps
    for (const [name, entries] of maps) for (const [id, object] of entries) own.get(name)?.set(id, object)
    fillIn(store)
    return store
  }

  /** `cus_fake000001`, `evt_fake000042`: the same ids for the same calls. */
  readonly id = (prefix: string): string => `${prefix}_${this.#namespace}${this.count(prefix, 6)}`

  /** The next number of its kind. */
  count(kind: string, digits: number): string {
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    return String(count).padStart(digits, '0')
  }

  customer(id: string): Stripe.Customer {
    const customer = this.customers.get(id)
    if (customer === undefined || customer.deleted) throw noSuch('customer', id)
    return customer
  }

  price(id: string): Stripe.Price {
    return known(this.prices, 'price', id)
  }

  /** A price for something new. */
  soldPrice(id: string): Stripe.Price {
    const price = this.price(id)
    if (price.active) return price
    throw new ApiError(400, 'The price specified is inactive. This field only accepts active prices.', {
      param: 'price',
    })
  }

  subscription(id: string): SubscriptionState {
    return known(this.subscriptions, 'subscription', id)
  }

  subscriptionsOf(customer: string): SubscriptionState[] {
    return [...this.subscriptions.values()].filter(({ object }) => object.customer === customer)
  }

  invoicesOf(subscription: string): Stripe.Invoice[] {
    return [...this.invoices.values()].filter((invoice) => subscriptionOf(invoice) === subscription)
  }

  scheduleOf({ schedule }: Stripe.Subscription): Stripe.SubscriptionSchedule | undefined {
    return schedule === null ? undefined : this.schedules.get(schedule as string)
  }

  productName(price: Stripe.Price | null | undefined): string {
    return this.products.get((price?.product ?? '') as string)?.name ?? 'Unknown product'
  }
}

export function subscriptionOf({ parent }: Stripe.Invoice): string | undefined {
  return parent?.subscription_details?.subscription as string | undefined
}

export function known<Value>(map: Map<string, Value>, kind: string, id: string): Value {
  const value = map.get(id)
  if (value === undefined) throw noSuch(kind, id)
  return value
}

/** What belongs to a customer that a list is asked for, who has to exist or to have existed; everything without one. */
export function ownedBy(store: Store, customer: string | undefined) {
  if (customer !== undefined) known(store.customers, 'customer', customer)
  return (one: { customer: unknown }): boolean => customer === undefined || one.customer === customer
}
