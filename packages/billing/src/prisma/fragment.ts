/** Billing's models and enums, under the names that they have where nothing else has them. */
export const fragmentNames = [
  'SubscriptionStatus',
  'EventStatus',
  'Plan',
  'PlanPrice',
  'BillingCustomer',
  'FormerCustomer',
  'UnlinkedPayer',
  'BillingTask',
  'Subscription',
  'SubscriptionItem',
  'SubscriptionTransition',
  'WebhookEvent',
  'OutboxMessage',
  'Entitlement',
] as const

export type FragmentName = (typeof fragmentNames)[number]

/** Tables and, for enums, Postgres' types. */
export const fragmentTables: Record<FragmentName, string> = {
  SubscriptionStatus: 'subscription_status',
  EventStatus: 'event_status',
  Plan: 'plans',
  PlanPrice: 'plan_prices',
  BillingCustomer: 'billing_customers',
  FormerCustomer: 'former_customers',
  UnlinkedPayer: 'unlinked_payers',
  BillingTask: 'billing_tasks',
  Subscription: 'subscriptions',
  SubscriptionItem: 'subscription_items',
  SubscriptionTransition: 'subscription_transitions',
  WebhookEvent: 'webhook_events',
  OutboxMessage: 'outbox_messages',
  Entitlement: 'entitlements',
}

/** What tells one of billing's own from another's of its name. */
export const fragmentMarks: Record<FragmentName, readonly string[]> = {
  SubscriptionStatus: ['INCOMPLETE_EXPIRED', 'PAST_DUE', 'UNKNOWN'],
  EventStatus: ['PENDING', 'PROCESSING', 'DONE', 'IGNORED', 'DEAD'],
  Plan: ['features', 'active', 'stripePriceId'],
  PlanPrice: ['stripePriceId', 'planId'],
  BillingCustomer: ['stripeCustomerId', 'syncSeq', 'appliedSeq'],
  FormerCustomer: ['stripeCustomerId', 'customerId', 'replacedAt'],
  UnlinkedPayer: ['stripeCustomerId', 'subscriptions', 'foundAt', 'ignoredAt'],
  BillingTask: ['name', 'leaseUntil', 'finishedAt', 'findings'],
  Subscription: ['stripeSubscriptionId', 'stripeStatus', 'collectionPaused'],
  SubscriptionItem: ['stripeItemId', 'stripePriceId', 'currentPeriodEnd'],
  SubscriptionTransition: ['subscriptionId', 'expected', 'observedAt'],
  WebhookEvent: ['stripeEventId', 'leaseUntil', 'nextAttemptAt', 'payload'],
  OutboxMessage: ['key', 'topic', 'leaseUntil', 'deadAt'],
  Entitlement: ['accountId', 'feature', 'limit', 'expiresAt'],
}

export interface FragmentOptions {
  /** What each is called instead. */
  names: Record<FragmentName, { name: string; table: string }>
  /** The model that stands for whoever pays, its key, and the key's type with its native type. */
  account: { model: string; key: string; type: string }
  /** Behind each DateTime: `@db.Timestamptz(3)` in a schema that is written for Postgres. */
  time: string
  /** Postgres' schema that they are in, where the datasource names its schemas. */
  schema?: string | undefined
}

/** The blocks by name. Alignment is left to Prisma's formatter. */
export function billingBlocks({
  names,
  account,
  time,
  schema,
}: FragmentOptions): Record<FragmentName, string> {
  const n = (name: FragmentName) => names[name].name
  const map = (name: FragmentName) => stored(names[name].table, schema)
  const t = time === '' ? '' : ` ${time}`
  const [key, ...native] = account.type.split(' ')
  const accountKey = { type: key, native: native.map((part) => ` ${part}`).join('') }
  return {
    ...inboxBlocks({ names, time, schema }),
    SubscriptionStatus: `/// Stripe's subscription statuses. Stripe may add some: those are kept as text beside it.
enum ${n('SubscriptionStatus')} {
  INCOMPLETE         @map("incomplete")
  INCOMPLETE_EXPIRED @map("incomplete_expired")
  TRIALING           @map("trialing")
  ACTIVE             @map("active")
  PAST_DUE           @map("past_due")
  CANCELED           @map("canceled")
  UNPAID             @map("unpaid")
  PAUSED             @map("paused")
  UNKNOWN            @map("unknown")

  ${map('SubscriptionStatus')}
}`,
    Plan: `/// A plan that can be bought.
model ${n('Plan')} {
  id String @id
  name String
  /// Cents a month.
  price Int
  currency String @default("usd")
  /// Limits and features, by name.
  features Json
  active Boolean @default(true)
  stripePriceId String? @unique @map("stripe_price_id")

  items ${n('SubscriptionItem')}[]
  prices ${n('PlanPrice')}[]

  ${map('Plan')}
}`,
    PlanPrice: `/// Every price that a plan has had: a price at Stripe never changes, and those who pay an old one keep their plan.
model ${n('PlanPrice')} {
  stripePriceId String @id @map("stripe_price_id")
  planId String @map("plan_id")
  /// Since when those who pay it may not have been given what it gives now.
  changedAt DateTime? @map("changed_at")${t}

  plan ${n('Plan')} @relation(fields: [planId], references: [id], onDelete: Cascade)

  @@index([planId])
  ${map('PlanPrice')}
}`,
    BillingCustomer: `/// An account's customer at Stripe. \`syncSeq\` and \`appliedSeq\` fence its synchronisation.
model ${n('BillingCustomer')} {
  id String @id @default(cuid())
  accountId ${accountKey.type} @unique @map("account_id")${accountKey.native}
  stripeCustomerId String @unique @map("stripe_customer_id")
  email String?
  deleted Boolean @default(false)
  syncSeq Int @default(0) @map("sync_seq")
  appliedSeq Int @default(0) @map("applied_seq")
  /// A change that the application is making at Stripe, and when it is taken for lost.
  change String?
  changeUntil DateTime? @map("change_until")${t}
  /// The Checkout that was begun last: its number and what it was for.
  checkout String?
  /// What happened at Stripe before is taken as said; before the row was made where this is not set.
  baselineAt DateTime? @map("baseline_at")${t}
  createdAt DateTime @default(now()) @map("created_at")${t}
  updatedAt DateTime @updatedAt @map("updated_at")${t}

  account ${account.model} @relation(fields: [accountId], references: [${account.key}], onDelete: Restrict)
  subscriptions ${n('Subscription')}[]
  former ${n('FormerCustomer')}[]

  ${map('BillingCustomer')}
}`,
    FormerCustomer: `/// Who a customer was at Stripe before: one that was deleted there has been replaced since.
model ${n('FormerCustomer')} {
  stripeCustomerId String @id @map("stripe_customer_id")
  customerId String @map("customer_id")
  replacedAt DateTime @map("replaced_at")${t}

  customer ${n('BillingCustomer')} @relation(fields: [customerId], references: [id], onDelete: Cascade)

  @@index([customerId])
  ${map('FormerCustomer')}
}`,
    UnlinkedPayer: `/// A customer at Stripe who pays and belongs to no account here.
model ${n('UnlinkedPayer')} {
  stripeCustomerId String @id @map("stripe_customer_id")
  /// Ids of the subscriptions that run.
  subscriptions Json
  foundAt DateTime @map("found_at")${t}
  /// Since when it is known to be another application's.
  ignoredAt DateTime? @map("ignored_at")${t}

  ${map('UnlinkedPayer')}
}`,
    BillingTask: `/// What one process does at a time, such as a reconciliation, and what came of it last.
model ${n('BillingTask')} {
  name String @id
  leaseUntil DateTime? @map("lease_until")${t}
  startedAt DateTime? @map("started_at")${t}
  finishedAt DateTime? @map("finished_at")${t}
  findings Int?

  ${map('BillingTask')}
}`,
    Subscription: `model ${n('Subscription')} {
  id String @id @default(cuid())
  stripeSubscriptionId String @unique @map("stripe_subscription_id")
  customerId String @map("customer_id")
  status ${n('SubscriptionStatus')}
  /// The status as Stripe wrote it.
  stripeStatus String @map("stripe_status")
  cancelAt DateTime? @map("cancel_at")${t}
  cancelAtPeriodEnd Boolean @default(false) @map("cancel_at_period_end")
  trialEnd DateTime? @map("trial_end")${t}
  endedAt DateTime? @map("ended_at")${t}
  /// When it began at Stripe.
  startedAt DateTime? @map("started_at")${t}
  /// Collection is paused: it goes on without being paid for.
  collectionPaused Boolean @default(false) @map("collection_paused")
  /// Since when a payment is owed.
  pastDueSince DateTime? @map("past_due_since")${t}
  createdAt DateTime @default(now()) @map("created_at")${t}
  updatedAt DateTime @updatedAt @map("updated_at")${t}

  customer ${n('BillingCustomer')} @relation(fields: [customerId], references: [id], onDelete: Cascade)
  items ${n('SubscriptionItem')}[]
  history ${n('SubscriptionTransition')}[]

  @@index([customerId])
  @@index([status, updatedAt])
  ${map('Subscription')}
}`,
    SubscriptionItem: `model ${n('SubscriptionItem')} {
  id String @id @default(cuid())
  stripeItemId String @unique @map("stripe_item_id")
  subscriptionId String @map("subscription_id")
  planId String? @map("plan_id")
  stripePriceId String @map("stripe_price_id")
  quantity Int @default(1)
  currentPeriodEnd DateTime @map("current_period_end")${t}

  subscription ${n('Subscription')} @relation(fields: [subscriptionId], references: [id], onDelete: Cascade)
  plan ${n('Plan')}? @relation(fields: [planId], references: [id], onDelete: SetNull)

  @@index([subscriptionId])
  ${map('SubscriptionItem')}
}`,
    SubscriptionTransition: `/// One observed change of a subscription's status.
model ${n('SubscriptionTransition')} {
  id Int @id @default(autoincrement())
  subscriptionId String @map("subscription_id")
  from String?
  to String
  expected Boolean @default(true)
  stripeEventId String? @map("stripe_event_id")
  observedAt DateTime @default(now()) @map("observed_at")${t}

  subscription ${n('Subscription')} @relation(fields: [subscriptionId], references: [id], onDelete: Cascade)

  @@index([subscriptionId, observedAt])
  ${map('SubscriptionTransition')}
}`,
    OutboxMessage: `/// One-time effects, sent at least once under their key.
model ${n('OutboxMessage')} {
  id Int @id @default(autoincrement())
  key String @unique
  topic String
  payload Json
  createdAt DateTime @default(now()) @map("created_at")${t}
  sentAt DateTime? @map("sent_at")${t}
  attempts Int @default(0)
  nextAttemptAt DateTime @default(now()) @map("next_attempt_at")${t}
  leaseUntil DateTime? @map("lease_until")${t}
  /// Given up after too many attempts.
  deadAt DateTime? @map("dead_at")${t}
  lastError String? @map("last_error")
  /// Why it was settled without being sent: \`baseline\`, or \`late\`.
  skipped String?

  @@index([sentAt, nextAttemptAt])
  ${map('OutboxMessage')}
}`,
    Entitlement: `/// What an account may use now.
model ${n('Entitlement')} {
  accountId ${accountKey.type} @map("account_id")${accountKey.native}
  feature String
  limit BigInt?
  expiresAt DateTime? @map("expires_at")${t}

  account ${account.model} @relation(fields: [accountId], references: [${account.key}], onDelete: Cascade)

  @@id([accountId, feature])
  ${map('Entitlement')}
}`,
  }
}

/** Of the names, those of the inbox. */
export const inboxNames = ['EventStatus', 'WebhookEvent'] as const

type InboxName = (typeof inboxNames)[number]

/** Of the blocks, those of the inbox, which refer to nothing else of billing's. */
export function inboxBlocks({
  names,
  time,
  schema,
}: Pick<FragmentOptions, 'time' | 'schema'> & {
  names: Pick<FragmentOptions['names'], InboxName>
}): Record<InboxName, string> {
  const map = (name: InboxName) => stored(names[name].table, schema)
  const t = time === '' ? '' : ` ${time}`
  return {
    EventStatus: `enum ${names.EventStatus.name} {
  PENDING    @map("pending")
  PROCESSING @map("processing")
  DONE       @map("done")
  IGNORED    @map("ignored")
  DEAD       @map("dead")

  ${map('EventStatus')}
}`,
    WebhookEvent: `/// The webhook inbox: one row an event, whatever happens to it.
model ${names.WebhookEvent.name} {
  id Int @id @default(autoincrement())
  stripeEventId String @unique @map("stripe_event_id")
  source String @default("stripe")
  type String
  objectId String? @map("object_id")
  customerId String? @map("customer_id")
  /// The connected account that it is about; none for the own one.
  stripeAccountId String? @map("stripe_account_id")
  apiVersion String? @map("api_version")
  livemode Boolean @default(false)
  stripeCreatedAt DateTime? @map("stripe_created_at")${t}
  receivedAt DateTime @default(now()) @map("received_at")${t}
  /// The raw body, as it was signed.
  payload String
  status ${names.EventStatus.name} @default(PENDING)
  attempts Int @default(0)
  nextAttemptAt DateTime @default(now()) @map("next_attempt_at")${t}
  leaseUntil DateTime? @map("lease_until")${t}
  lastError String? @map("last_error")
  /// What came of it: applied, superseded, or why nothing was to be done.
  outcome String?
  processedAt DateTime? @map("processed_at")${t}
  /// The application's hook for it is still to run: only who has that hook takes the event.
  awaitsHook Boolean @default(false) @map("awaits_hook")

  @@index([status, nextAttemptAt])
  @@index([receivedAt])
  @@index([customerId, status])
  ${map('WebhookEvent')}
}`,
  }
}

function stored(table: string, schema: string | undefined): string {
  return `@@map("${table}")${schema === undefined ? '' : `\n  @@schema("${schema}")`}`
}
