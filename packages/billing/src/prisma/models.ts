import { Failure } from '@outgrow/kit'
import type { ReceivedEvent } from '../inbox/parse-event.ts'
import type { EventStatus } from '../state/statuses.ts'
import type { SubscriptionState } from '../store.ts'
import type { Delegate, ModelName, PrismaLike } from './client.ts'
import { quotedModel, type StoredModel } from './stored-model.ts'

/** What an account's key may be in the project's own schema. */
type AccountKey = string | number | bigint

/** A row of each model. The fields have these names in every project; what they are stored as is the schema's. */
export interface Rows {
  customer: {
    id: string
    accountId: AccountKey
    stripeCustomerId: string
    email: string | null
    deleted: boolean
    syncSeq: number
    appliedSeq: number
    change: string | null
    changeUntil: Date | null
    checkout: string | null
    baselineAt: Date | null
    createdAt: Date
  }
  former: { stripeCustomerId: string; customerId: string; replacedAt: Date }
  unlinked: { stripeCustomerId: string; subscriptions: unknown; foundAt: Date; ignoredAt: Date | null }
  task: {
    name: string
    leaseUntil: Date | null
    startedAt: Date | null
    finishedAt: Date | null
    findings: number | null
  }
  subscription: SubscriptionState & { id: string; stripeSubscriptionId: string; customerId: string }
  item: {
    id: string
    stripeItemId: string
    subscriptionId: string
    planId: string | null
    stripePriceId: string
    quantity: number
    currentPeriodEnd: Date
  }
  transition: {
    id: number
    subscriptionId: string
    from: string | null
    to: string
    expected: boolean
    stripeEventId: string | null
    observedAt: Date
  }
  plan: {
    id: string
    name: string
    price: number
    currency: string
    features: unknown
    active: boolean
    stripePriceId: string | null
  }
  planPrice: { stripePriceId: string; planId: string; changedAt: Date | null }
  event: ReceivedEvent & {
    id: number
    source: string
    receivedAt: Date
    payload: string
    status: EventStatus
    attempts: number
    nextAttemptAt: Date
    leaseUntil: Date | null
    lastError: string | null
    outcome: string | null
    processedAt: Date | null
    awaitsHook: boolean
  }
  message: {
    id: number
    key: string
    topic: string
    payload: unknown
    createdAt: Date
    sentAt: Date | null
    attempts: number
    nextAttemptAt: Date
    leaseUntil: Date | null
    deadAt: Date | null
    lastError: string | null
    skipped: string | null
  }
  entitlement: { accountId: AccountKey; feature: string; limit: bigint | null; expiresAt: Date | null }
}

/** Relations between billing's own models, by the fields that they have. Those to the account are not used. */
interface Relations {
  customer: { subscriptions: Rows['subscription']; former: Rows['former'] }
  former: { customer: Rows['customer'] }
  unlinked: object
  task: object
  subscription: { customer: Rows['customer']; items: Rows['item'] }
  item: object
  transition: { subscription: Rows['subscription'] }
  plan: object
  planPrice: { plan: Rows['plan'] }
  event: object
  message: object
  entitlement: object
}

export type Role = keyof Rows

/** The delegates of one client, the root's or a transaction's. */
export type Delegates = { readonly [Name in Role]: Delegate<Rows[Name], Relations[Name]> }

/** Which of the client's models is what to billing. */
export type BillingModels<Client> = Record<Role, ModelName<Client>>

/** The names that `outgrow billing init` gives, where nothing else has them. */
const defaultModels: Record<Role, string> = {
  customer: 'billingCustomer',
  former: 'formerCustomer',
  unlinked: 'unlinkedPayer',
  task: 'billingTask',
  subscription: 'subscription',
  item: 'subscriptionItem',
  transition: 'subscriptionTransition',
  plan: 'plan',
  planPrice: 'planPrice',
  event: 'webhookEvent',
  message: 'outboxMessage',
  entitlement: 'entitlement',
}

type Fields = { readonly [Name in Role]: Record<keyof Rows[Name], true> }

/** Every field of every row, for looking them up in a client. The compiler holds it against `Rows`. */
const fields: Fields = {
  customer: {
    id: true,
    accountId: true,
    stripeCustomerId: true,
    email: true,
    deleted: true,
    syncSeq: true,
    appliedSeq: true,
    change: true,
    changeUntil: true,
    checkout: true,
    baselineAt: true,
    createdAt: true,
  },
  former: { stripeCustomerId: true, customerId: true, replacedAt: true },
  unlinked: { stripeCustomerId: true, subscriptions: true, foundAt: true, ignoredAt: true },
  task: { name: true, leaseUntil: true, startedAt: true, finishedAt: true, findings: true },
  subscription: {
    id: true,
    stripeSubscriptionId: true,
    customerId: true,
    status: true,
    stripeStatus: true,
    cancelAt: true,
    cancelAtPeriodEnd: true,
    trialEnd: true,
    endedAt: true,
    startedAt: true,
    collectionPaused: true,
    pastDueSince: true,
  },
  item: {
    id: true,
    stripeItemId: true,
    subscriptionId: true,
    planId: true,
    stripePriceId: true,
    quantity: true,
    currentPeriodEnd: true,
  },
  transition: {
    id: true,
    subscriptionId: true,
    from: true,
    to: true,
    expected: true,
    stripeEventId: true,
    observedAt: true,
  },
  plan: {
    id: true,
    name: true,
    price: true,
    currency: true,
    features: true,
    active: true,
    stripePriceId: true,
  },
  planPrice: { stripePriceId: true, planId: true, changedAt: true },
  event: {
    id: true,
    stripeEventId: true,
    source: true,
    type: true,
    objectId: true,
    customerId: true,
    stripeAccountId: true,
    apiVersion: true,
    livemode: true,
    stripeCreatedAt: true,
    receivedAt: true,
    payload: true,
    status: true,
    attempts: true,
    nextAttemptAt: true,
    leaseUntil: true,
    lastError: true,
    outcome: true,
    processedAt: true,
    awaitsHook: true,
  },
  message: {
    id: true,
    key: true,
    topic: true,
    payload: true,
    createdAt: true,
    sentAt: true,
    attempts: true,
    nextAttemptAt: true,
    leaseUntil: true,
    deadAt: true,
    lastError: true,
    skipped: true,
  },
  entitlement: { accountId: true, feature: true, limit: true, expiresAt: true },
}

/** Put before a name that is taken, unless `outgrow billing init` was asked for another. */
const defaultPrefix = 'billing'

/**
 * Which of a client's models is what: as it is named, else by the name that `outgrow billing init` gives, else by the one
 * with the prefix, where the first is the application's own.
 */
export function modelNames(
  client: PrismaLike,
  given: Partial<Record<Role, string | undefined>>,
): Record<Role, string> {
  return Object.fromEntries(
    (Object.keys(fields) as Role[]).map((role) => {
      const name = defaultModels[role]
      const prefixed = `${defaultPrefix}${name.charAt(0).toUpperCase()}${name.slice(1)}`
      const isBillings = (one: string) => {
        const model = quotedModel(client, one)
        return model !== undefined && Object.keys(fields[role]).every((field) => model.fields.has(field))
      }
      return [role, given[role] ?? (!isBillings(name) && isBillings(prefixed) ? prefixed : name)]
    }),
  ) as Record<Role, string>
}

/** Where each model is stored. */
export type Stored = { readonly [Name in Role]: StoredModel<keyof Rows[Name] & string> }

/**
 * Finds billing's models in a client.
 * @throws Failure OUTGROW_BILLING_MODELS naming each model and field that is not there
 */
export function storedModels(client: PrismaLike, names: Record<Role, string>): Stored {
  const missing: string[] = []
  const stored = Object.fromEntries(
    Object.entries(fields).map(([role, wanted]) => {
      const model = quotedModel(client, names[role as Role])
      if (!model) missing.push(`no model ${names[role as Role]}`)
      else
        missing.push(
          ...Object.keys(wanted)
            .filter((field) => !model.fields.has(field))
            .map((field) => `${names[role as Role]} has no field ${field}`),
        )
      return [role, model]
    }),
  )
  if (missing.length === 0) return stored as unknown as Stored
  throw new Failure({
    code: 'OUTGROW_BILLING_MODELS',
    message: `The client does not have what billing needs: ${missing.slice(0, 5).join('; ')}${missing.length > 5 ? ` and ${missing.length - 5} more` : ''}.`,
    why: 'Billing keeps its rows in models of the project’s own schema.',
    fix: 'Run outgrow billing init, which adds models and fields that are missing, then outgrow schema deploy, and generate the clients anew. If yours have other names, say in prismaStore’s models which they are.',
  })
}

/** The models of a client, each looked up when it is asked for. Their rows have been found to have billing's fields. */
export function delegatesOf(client: PrismaLike, names: Record<Role, string>): Delegates {
  const byName = client as unknown as Record<string, unknown>
  return Object.defineProperties(
    {},
    Object.fromEntries(
      Object.keys(fields).map((role) => [role, { get: () => byName[names[role as Role]], enumerable: true }]),
    ),
  ) as Delegates
}

/** An account's key between the text that billing has and what its column holds. */
export interface AccountKeys {
  stored(accountId: string): AccountKey
  text(key: AccountKey): string
}

export function accountKeys(stored: Stored): AccountKeys {
  const type = stored.customer.fields.get('accountId')?.type
  return {
    stored: (id) => (type === 'Int' ? Number(id) : type === 'BigInt' ? BigInt(id) : id),
    text: String,
  }
}
