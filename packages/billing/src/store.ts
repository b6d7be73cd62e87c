import type { EventStatus, SubscriptionStatus } from './state/statuses.ts'

/**
 * What billing needs of a database. Times are Dates, an account is named by text whatever its key is stored as, and
 * `…Id` without `stripe` is the database's own.
 *
 * What a store promises: a call outside of a transaction is one statement, or may be cut off between two without harm;
 * a write that the database asks to try again is tried again; nothing is written by a call that throws.
 */
export interface BillingStore<Client = unknown> extends BillingTables<Client> {
  readonly upkeep: Upkeep
  /** Where the database can say that something has come; without it workers find it when they look. */
  readonly wakeups?: Wakeups | undefined
  /**
   * Runs `work` in one transaction, and anew as a whole while the database asks for it: it may run more than once.
   * A throw takes everything back. Inside, only what is handed in may be called.
   */
  transaction<Result>(work: (tx: BillingTables<Client>) => Promise<Result>): Promise<Result>
  /** What an error says of the database: too busy now, not to be reached now, or nothing. */
  faultOf(error: unknown): 'busy' | 'unavailable' | undefined
}

export interface Wakeups {
  /**
   * Calls back when there may be something to do, and perhaps when there is nothing: from this process at once, from others
   * as far as they can be heard. Returns what ends it.
   */
  subscribe(wake: () => void): () => Promise<void>
}

/** What may be done alone, or in a transaction together. */
export interface BillingTables<Client = unknown> {
  /** What the application itself writes with, in the same transaction. */
  readonly client: Client
  readonly inbox: Inbox
  readonly outbox: Outbox
  readonly customers: Customers
  readonly fence: Fence
  readonly subscriptions: Subscriptions
  readonly access: Access
  readonly unlinked: UnlinkedPayers
}

/** How rows are taken to be worked on: up to `limit` of those due at `now`, until `until`. */
export interface LeaseRequest {
  now: Date
  until: Date
  limit: number
}

/** As `LeaseRequest`, but `limit` counts customers. */
export interface EventLeaseRequest extends LeaseRequest {
  /** A customer whose lease ends between these is being worked on: its further events are left until later. */
  inWork: { from: Date; to: Date }
  /** The types that this worker has the application's hooks for: events that await one of another type are left. */
  hooks: readonly string[]
}

/** A row that a worker holds. Every lease counts an attempt: a lease that was lost is known by its number. */
export interface Leased {
  readonly id: number
  readonly attempts: number
}

/** The webhook inbox: one row an event. */
export interface Inbox {
  /** Stores events in one statement, leaving out those that are there; returns the Stripe ids of the new ones. */
  store(events: readonly NewEvent[]): Promise<ReadonlySet<string>>
  /** Which of these events are there. */
  known(stripeEventIds: readonly string[]): Promise<ReadonlySet<string>>
  /**
   * Takes, for nobody else until then, what is due or whose lease ran out: of up to `limit` customers, those first whose
   * event waits longest, all of their events up to some hundreds. What names no customer, or is a connected account's,
   * counts as a customer of its own. By id.
   */
  lease(request: EventLeaseRequest): Promise<LeasedEvent[]>
  /** When the first event about a customer that Stripe delivered happened. */
  firstAbout(stripeCustomerId: string): Promise<Date | undefined>
  /** Puts events about a customer that were ignored back into the queue. */
  requeueIgnored(stripeCustomerId: string, now: Date): Promise<void>
  /** Ends events for good, and says how many. One whose lease was lost is left to whoever has it; so with all below. */
  settle(events: readonly Leased[], settlement: Settlement): Promise<number>
  /** Gives events back, to be tried again. */
  postpone(events: readonly Leased[], until: Date, error: string): Promise<void>
  /** Gives events back as if they had not been taken: it counts as no attempt. */
  release(events: readonly Leased[], until: Date, reason: string): Promise<void>
  /** Writes down whose events they are, which they did not say, and gives them back: they are taken with that customer's. */
  assign(events: readonly Leased[], stripeCustomerId: string): Promise<void>
  /** Gives events up: they become dead letters. */
  bury(events: readonly Leased[], error: string): Promise<void>
  /** The raw body of an event. */
  payload(event: Leased): Promise<string>
}

export interface NewEvent {
  stripeEventId: string
  /** Who brought it: `stripe`, or `reconcile` for one that was never delivered. */
  source: string
  type: string
  objectId: string | null
  stripeCustomerId: string | null
  /** The connected account that it is about; null for the own one. */
  stripeAccountId: string | null
  apiVersion: string | null
  livemode: boolean
  stripeCreatedAt: Date | null
  receivedAt: Date
  /** The raw body, as it was signed. */
  payload: string
  /** The application has a hook for it. */
  awaitsHook: boolean
  status: typeof EventStatus.PENDING | typeof EventStatus.IGNORED
}

export interface LeasedEvent extends Leased {
  readonly stripeEventId: string
  readonly type: string
  readonly objectId: string | null
  readonly stripeCustomerId: string | null
  readonly stripeAccountId: string | null
  /** When it happened at Stripe; null where that is not known. */
  readonly stripeCreatedAt: Date | null
  readonly receivedAt: Date
  readonly livemode: boolean
  /** The application's hook for it is still to run. */
  readonly awaitsHook: boolean
}

export interface Settlement {
  status: typeof EventStatus.DONE | typeof EventStatus.IGNORED
  /** What came of it, in words. */
  outcome: string
  at: Date
  /** The application's hook runs in the same transaction, and never again. */
  hookRan?: boolean
}

/** One-time effects, sent at least once under their key. */
export interface Outbox {
  /** Adds messages whose key is not there yet. To be called with the customer locked. */
  put(messages: readonly NewMessage[], now: Date): Promise<void>
  lease(request: LeaseRequest): Promise<LeasedMessage[]>
  /** It was sent: that is so, whoever has the lease by now. */
  settle(message: Leased, at: Date): Promise<void>
  postpone(message: Leased, until: Date, error: string): Promise<void>
  bury(message: Leased, at: Date, error: string): Promise<void>
}

export interface Message {
  key: string
  topic: string
  payload: MessagePayload
}

export interface MessagePayload {
  /** Stripe's; empty where a hook's event is about none. */
  customerId: string
  /** Stripe's; the event's own where a hook's event is about an object without one. */
  objectId: string
  /** Which attempt at an invoice failed, from 1. */
  attempt?: number
  /** The connected account whose ids these are. */
  account?: string
  /** What the application's hook gave. */
  data?: unknown
}

/** Why a message is settled without being sent: it was so before the customer came here, or it is heard of too late. */
export type Skipped = 'baseline' | 'late'

export interface NewMessage extends Message {
  /** Undefined for one that is to be sent. */
  skipped?: Skipped | undefined
}

export interface LeasedMessage extends Leased, Message {}

/** Who pays: an account's customer at Stripe. */
export interface Customers {
  ofAccount(accountId: string): Promise<Customer | undefined>
  /** By the id that it has at Stripe, or had there before it was replaced. */
  ofStripe(stripeCustomerId: string): Promise<Customer | undefined>
  /** Which of these ids of Stripe belong to a customer, now or before it was replaced. */
  known(stripeCustomerIds: readonly string[]): Promise<ReadonlySet<string>>
  /** Pages through customers by id. */
  page(request: CustomerPage): Promise<Customer[]>
  /** Adds an account's customer; when there is one by now, that one stays. Returns the one that is there. */
  add(customer: NewCustomer): Promise<Customer>
  /**
   * Puts another customer of Stripe into the place of one that was deleted there; its history stays. The number of a
   * synchronisation is passed, so that no older answer is written. With the customer locked.
   */
  replace(customerId: string, stripeCustomerId: string, now: Date): Promise<void>
  /** The account itself; undefined when there is none. Its name may not be known. */
  account(accountId: string): Promise<{ name: string | null } | undefined>
  /** Writes down that a change is being made at Stripe, and draws a number for it. With the customer locked. */
  beginChange(customerId: string, mark: ChangeMark): Promise<number>
  /** Takes the mark away, if it is still this one. */
  endChange(customerId: string, mark: ChangeMark): Promise<void>
  /** Writes down that a Checkout is begun, and draws a number for it. With the customer locked. */
  beginCheckout(customerId: string, intent: string): Promise<CheckoutMark>
}

export interface CustomerPage {
  after?: string | undefined
  limit: number
  /** Ids at Stripe. */
  only?: readonly string[] | undefined
  /** Only those that were here by then. */
  until?: Date | undefined
  /** Only those with a subscription at one of these prices that has not ended. */
  prices?: readonly string[] | undefined
}

export interface NewCustomer {
  accountId: string
  stripeCustomerId: string
  email: string | null
  /** What happened at Stripe before is taken as said; when the row is made, where it is not given. */
  baselineAt?: Date
}

export interface Customer {
  readonly id: string
  readonly accountId: string
  readonly stripeCustomerId: string
  readonly email: string | null
  readonly deleted: boolean
  /** The change that is being made at Stripe. */
  readonly change: ChangeMark | undefined
  /** The Checkout that was begun last. */
  readonly checkout: CheckoutMark | undefined
  /** What happened at Stripe before is taken as said. */
  readonly baselineAt: Date
  /** The number of the last synchronisation that has written. */
  readonly appliedSeq: number
}

export interface ChangeMark {
  name: string
  /** When it is taken for lost. */
  until: Date
}

/** The last one that was begun is the only one whose page may be shown. */
export interface CheckoutMark {
  number: number
  /** The same for the same request. */
  intent: string
}

/** Lets an answer of Stripe be written only while no later one has been. */
export interface Fence {
  /** Draws the next number of a customer, before Stripe is asked. */
  draw(customerId: string): Promise<number>
  /** Locks the customer's row until the transaction ends, and reads it. */
  lock(customerId: string): Promise<Customer>
  /** Says that number's answer is written, with what it said of the customer. With the customer locked. */
  pass(customerId: string, seq: number, seen: { deleted: boolean; email: string | null }): Promise<void>
}

/** Subscriptions as Stripe has them, with their items and their history. */
export interface Subscriptions {
  /** By Stripe's ids, their items too. */
  ofCustomer(customerId: string): Promise<StoredSubscription[]>
  /** Writes what is different. With the customer locked. */
  write(customerId: string, changes: readonly SubscriptionChange[]): Promise<void>
}

export interface SubscriptionState {
  status: SubscriptionStatus
  /** As Stripe writes it. */
  stripeStatus: string
  cancelAt: Date | null
  cancelAtPeriodEnd: boolean
  trialEnd: Date | null
  endedAt: Date | null
  startedAt: Date | null
  collectionPaused: boolean
  /** Since when a payment is owed; null while none is. */
  pastDueSince: Date | null
}

export interface ItemState {
  stripeItemId: string
  planId: string | null
  stripePriceId: string
  quantity: number
  currentPeriodEnd: Date
}

export interface StoredItem extends ItemState {
  readonly id: string
}

export interface StoredSubscription extends SubscriptionState {
  readonly id: string
  readonly stripeSubscriptionId: string
  readonly items: readonly StoredItem[]
}

export interface SubscriptionChange {
  stripeSubscriptionId: string
  /** Undefined for one that is new. */
  id: string | undefined
  /** What it is now; a new one has it whole. Undefined where only items changed. */
  state: Partial<SubscriptionState> | undefined
  /** Undefined where the status is what it was. */
  transition: Transition | undefined
  items: { gone: readonly string[]; changed: readonly StoredItem[]; added: readonly ItemState[] }
}

/** One observed change of a status, as Stripe writes it. */
export interface Transition {
  from: string | null
  to: string
  /** Whether it is one that Stripe makes. */
  expected: boolean
  /** The event that led to the look. */
  stripeEventId: string | null
  observedAt: Date
}

/** Plans, what their prices give, and what accounts may use of it. */
export interface Access {
  /** What an account may use of a feature; undefined when nothing, whatever its end. */
  entitlement(accountId: string, feature: string): Promise<Entitlement | undefined>
  entitlements(accountId: string): Promise<Map<string, Entitlement>>
  /** Grants and changes some, revokes others. With the customer locked. */
  writeEntitlements(accountId: string, change: EntitlementChange): Promise<void>
  plan(planId: string): Promise<StoredPlan | undefined>
  /** Every price that a plan has or had, with what it gives. */
  prices(): Promise<PlanPrice[]>
  /** The same, which stays so until the transaction ends: whoever writes plans waits for that. In a transaction. */
  heldPrices(): Promise<PlanPrice[]>
  /** Makes these the plans that are sold. Others become inactive; former prices stay. In a transaction. */
  writePlans(plans: readonly StoredPlan[]): Promise<void>
  /** Says that those who pay these prices may not have been given what they give now. */
  markChanged(stripePriceIds: readonly string[], at: Date): Promise<void>
  /** Says that they have, up to the change that was seen. */
  markGranted(prices: readonly ChangedPrice[]): Promise<void>
  /** Prices whose payers may not have been given what they give now. */
  changedPrices(): Promise<ChangedPrice[]>
}

export interface ChangedPrice {
  stripePriceId: string
  changedAt: Date
}

export interface Entitlement {
  /** The most of it; null without a limit. */
  limit: bigint | null
  /** Until when; null without an end. */
  expiresAt: Date | null
}

export interface EntitlementChange {
  granted: ReadonlyMap<string, Entitlement>
  changed: ReadonlyMap<string, Entitlement>
  revoked: readonly string[]
}

export interface StoredPlan {
  id: string
  name: string
  amount: number
  currency: string
  features: Record<string, unknown>
  active: boolean
  /** The price that it is sold at now. */
  stripePriceId: string | null
}

export interface PlanPrice {
  stripePriceId: string
  planId: string
  features: Record<string, unknown>
}

/** Customers at Stripe who pay and belong to no account here. */
export interface UnlinkedPayers {
  /** Writes down what runs of such a customer. One that is ignored stays so. */
  put(payer: { stripeCustomerId: string; subscriptions: readonly string[] }, now: Date): Promise<void>
  /** It was linked, or nothing runs any more. */
  remove(stripeCustomerIds: readonly string[]): Promise<void>
  /** Says that it is another application's; it is not listed any more. */
  ignore(stripeCustomerId: string, now: Date): Promise<void>
  /** Which of these are ignored. */
  ignored(stripeCustomerIds: readonly string[]): Promise<ReadonlySet<string>>
  /** Those that are not ignored, the first found first. */
  list(limit: number): Promise<UnlinkedPayer[]>
}

export interface UnlinkedPayer {
  stripeCustomerId: string
  /** Ids of the subscriptions that run. */
  subscriptions: readonly string[]
  foundAt: Date
}

/** What one process does at a time, under a lease that runs out with it. */
export interface BillingTask {
  startedAt: Date | null
  /** Null where it never came to its end. */
  finishedAt: Date | null
  /** Of the last one that came to its end. */
  findings: number | null
  leaseUntil: Date | null
}

/** What people ask and mend. Never in a transaction. */
export interface Upkeep {
  /** Takes a task for nobody else until then. False when somebody has it. */
  beginTask(name: string, now: Date, until: Date): Promise<boolean>
  /** Goes on with it. False when it was lost meanwhile. */
  extendTask(name: string, from: Date, until: Date): Promise<boolean>
  /** Gives it back; with its end and findings, when it came to its end. */
  endTask(name: string, from: Date, result?: { finishedAt: Date; findings: number }): Promise<void>
  task(name: string): Promise<BillingTask | undefined>
  counts(now: Date): Promise<BillingCounts>
  /** How many of the events that were received by then are due now. */
  dueEvents(receivedBy: Date, now: Date): Promise<number>
  /** Subscriptions in one of these statuses without any price of a plan. */
  outsidePlans(stripeStatuses: readonly string[], limit: number): Promise<OutsidePlans[]>
  /** Accounts with more than one subscription in a status that is none of these, the oldest subscription first. */
  payingTwice(
    notRunning: readonly string[],
    limit: number,
  ): Promise<{ accountId: string; subscriptions: string[] }[]>
  /** Dead letters, the newest first. */
  deadLetters(limit: number): Promise<DeadLetter[]>
  /** Puts events back into the queue; says how many, or how many it would be. */
  requeueEvents(selection: EventSelection, now: Date, dryRun: boolean): Promise<number>
  /** Puts messages back into the queue that were given up, or heard of too late to be sent. */
  requeueMessages(which: 'dead' | 'late', now: Date, dryRun: boolean): Promise<number>
  /** Blanks payloads of events that were settled, and received before. */
  blankPayloads(before: Date, dryRun: boolean): Promise<number>
  /** When events that Stripe delivered about customers arrived: the last `limit`, the oldest first. */
  arrivals(since: Date, limit: number): Promise<Arrival[]>
}

export interface BillingCounts {
  events: Record<EventStatus, number>
  oldestPending: Date | null
  expiredLeases: number
  outbox: Record<'waiting' | 'sent' | 'dead' | Skipped, number>
  /** By the status as Stripe writes it. */
  subscriptions: Record<string, number>
  unexpectedMoves: number
}

/** Somebody pays for what no plan gives. */
export interface OutsidePlans {
  accountId: string
  subscription: string
  prices: string[]
}

export interface DeadLetter {
  stripeEventId: string
  type: string
  receivedAt: Date
  attempts: number
  lastError: string | null
}

export interface EventSelection {
  statuses: readonly EventStatus[]
  stripeEventIds: readonly string[] | undefined
  type: string | undefined
  since: Date | undefined
}

export interface Arrival {
  customer: string
  at: Date
}
