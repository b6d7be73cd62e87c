import { deserialize } from 'node:v8'
import type { Stripe } from 'stripe'
import type { Seconds } from './clock.ts'
import { Deliveries, type Delivery } from './deliveries.ts'
import { emitterOf, type Emitter } from './emitter.ts'
import { Faults, type Fault, type Storm } from './api/faults.ts'
import type { RateLimits } from './api/limits.ts'
import { completeSession, openSessionOf } from './billing/checkout.ts'
import { nextDue } from './billing/due.ts'
import { payByLink, subscribeInDashboard, type OutsidePayer } from './billing/payers.ts'
import { refundCharge } from './billing/refunds.ts'
import { cancelNow } from './billing/renewal.ts'
import { hasEnded } from './billing/statuses.ts'
import { disputeObject } from './objects/charge.ts'
import { priceObject, productObject, type Interval } from './objects/product.ts'
import { known, Store, type Card } from './store.ts'

export interface StripeFakeOptions {
  /** Where the virtual clock starts, in seconds since 1970. */
  now?: Seconds
  /** Secret that signs deliveries, `whsec_…`. */
  webhookSecret?: string
  /** What ends a subscription whose retries have failed. */
  afterRetries?: 'canceled' | 'unpaid'
  /** In every id, so that the ids of two stand-ins differ. */
  namespace?: string
  /** Address at which its pages are reached. */
  baseUrl?: string
  /** How many requests a second it answers; any number by default. */
  limits?: RateLimits
  /** What `save()` gave at an earlier stand-in, which this one goes on from. */
  saved?: Uint8Array
}

export interface Saved {
  store: Uint8Array
  waiting: Delivery[]
  /** The stores of connected accounts. */
  accounts: [id: string, store: Uint8Array][]
}

/** What a connected account has of its platform. */
export interface Shared {
  account: string
  deliveries: Deliveries
  faults: Faults
}

/** Everything that the stand-in knows, and what happens outside of the API. */
export class StripeState {
  readonly store: Store
  readonly deliveries: Deliveries
  readonly emit: Emitter
  readonly baseUrl: string
  afterRetries: 'canceled' | 'unpaid'
  /** Milliseconds that each answer takes. */
  latencyMs = 0
  readonly faults: Faults
  /** A connected account's id; undefined at the platform. */
  readonly account: string | undefined

  constructor(options: StripeFakeOptions = {}, shared?: Shared) {
    this.baseUrl = options.baseUrl ?? 'http://stripe.fake'
    const saved = options.saved && (deserialize(options.saved) as Saved)
    this.store = saved
      ? Store.restore(saved.store, this.baseUrl)
      : new Store(options.now ?? 1_790_000_000, options.namespace ?? 'fake', this.baseUrl)
    this.afterRetries = options.afterRetries ?? 'canceled'
    this.account = shared?.account
    this.faults = shared?.faults ?? new Faults()
    if (options.limits) this.limit(options.limits)
    this.deliveries = shared?.deliveries ?? new Deliveries(options.webhookSecret ?? 'whsec_fake')
    for (const delivery of saved?.waiting ?? []) this.deliveries.putBack(delivery)
    this.emit = emitterOf(this.store, this.account, (event) => this.deliveries.add(event))
  }

  fail(fault: Fault): void {
    this.faults.fail(fault)
  }

  /** Refuses requests with 429 from now on; undefined ends it. */
  storm(storm: Storm | undefined): void {
    this.faults.storm = storm
  }

  /** Answers only so many requests a second; undefined any number. */
  limit(limits: RateLimits | undefined): void {
    this.faults.limits = limits
  }

  /** Ends what `fail`, `storm` and `latencyMs` began. */
  recover(): void {
    this.faults.clear()
    this.latencyMs = 0
  }

  /** Moves the clock and lets everything happen that falls due, in its order. */
  advance(seconds: Seconds): void {
    const { store, emit } = this
    const until = store.now + seconds
    for (;;) {
      const [next] = [...store.subscriptions.values()]
        .map((state) => nextDue(store, emit, state, this))
        .filter((due) => due !== undefined && due.at <= until)
        .toSorted((a, b) => (a?.at ?? 0) - (b?.at ?? 0))
      if (!next) break
      store.now = Math.max(store.now, next.at)
      next.happen()
    }
    store.now = until
    this.#expireSessions()
  }

  #expireSessions(): void {
    for (const session of this.store.sessions.values()) {
      if (session.status !== 'open' || session.expires_at > this.store.now) continue
      session.status = 'expired'
      session.url = null
      this.emit('checkout.session.expired', session)
    }
  }

  /** A product with a monthly or yearly price, as somebody makes it in the dashboard. */
  addPrice(price: {
    id?: string
    name: string
    amount: number
    currency?: string
    interval?: Interval
    features?: string[]
  }): Stripe.Price {
    const { store } = this
    const product = productObject(store.id('prod'), store.now, price.name)
    store.products.set(product.id, product)
    store.features.set(product.id, price.features ?? [])
    const object = priceObject(
      price.id ?? store.id('price'),
      store.now,
      product.id,
      price.amount,
      price.currency ?? 'usd',
      { interval: price.interval ?? 'month', interval_count: 1 },
    )
    store.prices.set(object.id, object)
    return object
  }

  setCard(customer: string, card: Card): void {
    this.store.customer(customer)
    this.store.cards.set(customer, card)
  }

  /** The customer pays or fails the page of a Checkout session. */
  completeCheckout(sessionId: string, pays = true): Stripe.Checkout.Session {
    const session = openSessionOf(this.store, sessionId)
    if (pays) return completeSession(this.store, this.emit, sessionId, 'succeeds')
    // The page says that the card was declined, and stays open.
    if (session.customer !== null) this.setCard(session.customer as string, 'fails')
    return session
  }

  /** Somebody buys through a payment link: a customer and a session that name no account. */
  payByLink(payer: OutsidePayer): Stripe.Checkout.Session {
    return payByLink(this.store, this.emit, payer)
  }

  /** Somebody at the shop makes a customer and a subscription in the dashboard, without any metadata. */
  subscribeInDashboard(payer: OutsidePayer): Stripe.Subscription {
    return subscribeInDashboard(this.store, this.emit, payer)
  }

  /** Money given back for the customer's newest paid charge; undefined when there is none. */
  refund(customer: string): Stripe.Refund | undefined {
    const charge = this.#newestCharge(customer)
    return charge && !charge.refunded ? refundCharge(this.store, this.emit, charge) : undefined
  }

  failRefund(id: string): void {
    const refund = known(this.store.refunds, 'refund', id)
    refund.status = 'failed'
    this.emit('refund.failed', refund)
  }

  dispute(customer: string): Stripe.Dispute | undefined {
    const charge = this.#newestCharge(customer)
    if (!charge || charge.disputed) return undefined
    const dispute = disputeObject(this.store.id('dp'), this.store.now, charge)
    this.store.disputes.set(dispute.id, dispute)
    charge.disputed = true
    this.emit('charge.dispute.created', dispute)
    return dispute
  }

  closeDispute(id: string, status: 'won' | 'lost'): void {
    const dispute = known(this.store.disputes, 'dispute', id)
    dispute.status = status
    this.emit('charge.dispute.closed', dispute)
  }

  readonly deleteCustomer = (id: string): Stripe.DeletedCustomer => {
    const { store, emit } = this
    const customer = store.customer(id)
    for (const state of store.subscriptionsOf(id)) if (!hasEnded(state)) cancelNow(store, emit, state)
    emit('customer.deleted', customer)
    const deleted: Stripe.DeletedCustomer = { id, object: 'customer', deleted: true }
    store.customers.set(id, deleted)
    return deleted
  }

  #newestCharge(customer: string): Stripe.Charge | undefined {
    return [...this.store.charges.values()].findLast((charge) => charge.customer === customer)
  }
}
