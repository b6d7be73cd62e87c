import { assertNever } from '@outgrow/kit'
import type {
  BillingStore,
  BillingTables,
  Entitlement,
  Leased,
  LeasedEvent,
  LeaseRequest,
} from '@outgrow/billing'
import { EventStatus, type Database } from '@outgrow/db'
import type { Subject } from './lifecycle.ts'

/** How billing works: as the product does, or with one of its rules broken, to show that the harness finds it out. */
export const variants = [
  'ours',
  'last-write',
  'unfenced',
  'clock-steals',
  'burns-attempts',
  'no-budget',
  'first-come',
  'sends-unkeyed',
  'commit-before-call',
  'no-mark',
  'local-checkout',
  'keeps-grace',
] as const
export type Variant = (typeof variants)[number]

/** What the lives are about in which a variant is found out. */
export const foundIn: Record<Exclude<Variant, 'ours'>, readonly Subject[]> = {
  'last-write': ['anything'],
  unfenced: ['races'],
  'clock-steals': ['clocks'],
  'burns-attempts': ['storm'],
  'no-budget': ['rush'],
  'first-come': ['flood'],
  'sends-unkeyed': ['anything', 'clocks'],
  'commit-before-call': ['changes'],
  'no-mark': ['clicks'],
  'local-checkout': ['hasty'],
  'keeps-grace': ['terms'],
}

/** The store with the rule broken that the variant is named for. */
export function storeOf(variant: Variant, store: BillingStore, database: Database): BillingStore {
  switch (variant) {
    case 'ours':
    case 'last-write': // works without a store
    case 'no-budget': // the worker is told no number of calls
      return store
    case 'unfenced':
      // Every synchronisation finds that nobody has written before it.
      return changed(store, ({ fence }) => ({
        fence: { ...fence, lock: async (id) => ({ ...(await fence.lock(id)), appliedSeq: -1 }) },
      }))
    case 'clock-steals':
      return changed(store, ({ inbox }) => ({
        inbox: { ...inbox, postpone: (events, until) => takeBack(database, events, until) },
      }))
    case 'burns-attempts':
      // What Stripe refused for there were too many calls counts as tried.
      return changed(store, ({ inbox }) => ({ inbox: { ...inbox, release: inbox.postpone } }))
    case 'first-come':
      return changed(store, ({ inbox }) => ({
        inbox: { ...inbox, lease: (request) => leaseFirst(database, request) },
      }))
    case 'sends-unkeyed':
      // The key says which attempt it is: the receiver takes a repeat for another one.
      return changed(store, ({ outbox }) => ({
        outbox: {
          ...outbox,
          lease: async (request) =>
            (await outbox.lease(request)).map((message) => ({
              ...message,
              key: `${message.key}#${message.attempts}`,
            })),
        },
      }))
    case 'commit-before-call':
      return changed(store, (tables) => ({
        customers: { ...tables.customers, beginChange: tooSoon(tables) },
      }))
    case 'no-mark':
      // A change is made whoever makes another.
      return changed(store, ({ fence }) => ({
        fence: { ...fence, lock: async (id) => ({ ...(await fence.lock(id)), change: undefined }) },
      }))
    case 'local-checkout':
      // What Stripe says is taken for known already. The application opens pages with this, and does the rest as it does.
      return changed(store, ({ fence }) => ({
        fence: { ...fence, lock: async (id) => ({ ...(await fence.lock(id)), appliedSeq: 2 ** 31 - 1 }) },
      }))
    case 'keeps-grace':
      return changed(store, (tables) => ({ access: { ...tables.access, ...withGrace(tables) } }))
    default:
      return assertNever(variant)
  }
}

/** Some of a store's parts changed, in transactions too. */
function changed(
  store: BillingStore,
  change: (tables: BillingTables) => Partial<BillingTables>,
): BillingStore {
  return {
    ...store,
    ...change(store),
    transaction: (work) => store.transaction((tx) => work({ ...tx, ...change(tx) })),
  }
}

/** Gives events back, whoever has them by now: their leases are not asked for. */
async function takeBack({ client }: Database, events: readonly Leased[], until: Date): Promise<void> {
  await client.webhookEvent.updateMany({
    where: { id: { in: events.map(({ id }) => id) } },
    data: { status: EventStatus.PENDING, nextAttemptAt: until, leaseUntil: null },
  })
}

/** Takes events in the order in which they came, whosever they are. */
async function leaseFirst({ client }: Database, { now, until, limit }: LeaseRequest): Promise<LeasedEvent[]> {
  const due = await client.webhookEvent.findMany({
    where: {
      OR: [
        { status: EventStatus.PENDING, nextAttemptAt: { lte: now } },
        { status: EventStatus.PROCESSING, leaseUntil: { lt: now } },
      ],
    },
    orderBy: { id: 'asc' },
    take: limit,
  })
  const taken: LeasedEvent[] = []
  for (const { id, attempts, status, customerId, ...event } of due) {
    const { count } = await client.webhookEvent.updateMany({
      where: { id, attempts, status },
      data: { status: EventStatus.PROCESSING, attempts: attempts + 1, leaseUntil: until },
    })
    if (count > 0) taken.push({ ...event, id, attempts: attempts + 1, stripeCustomerId: customerId })
  }
  return taken
}

/** Writes down what a change will make of a subscription before it is made. */
function tooSoon({ customers, subscriptions }: BillingTables): BillingTables['customers']['beginChange'] {
  return async (customerId, mark) => {
    const [first] = await subscriptions.ofCustomer(customerId)
    if (first) {
      const state = mark.name.startsWith('cancel') ? { stripeStatus: 'canceled' } : { collectionPaused: true }
      await subscriptions.write(customerId, [
        {
          stripeSubscriptionId: first.stripeSubscriptionId,
          id: first.id,
          state,
          transition: undefined,
          items: { gone: [], changed: [], added: [] },
        },
      ])
    }
    return customers.beginChange(customerId, mark)
  }
}

/** Lets grants last a week beyond the end of a subscription that was canceled for then. */
function withGrace({
  access,
  customers,
  subscriptions,
}: BillingTables): Pick<BillingTables['access'], 'writeEntitlements'> {
  return {
    async writeEntitlements(accountId, change) {
      const customer = await customers.ofAccount(accountId)
      const all = customer ? await subscriptions.ofCustomer(customer.id) : []
      const ends = new Set(all.map(({ cancelAt }) => cancelAt?.getTime()))
      const later = (grants: ReadonlyMap<string, Entitlement>) =>
        new Map(
          [...grants].map(([feature, { limit, expiresAt }]) => {
            const isEnd = expiresAt !== null && ends.has(expiresAt.getTime())
            return [
              feature,
              { limit, expiresAt: isEnd ? new Date(expiresAt.getTime() + 7 * 86_400_000) : expiresAt },
            ]
          }),
        )
      await access.writeEntitlements(accountId, {
        granted: later(change.granted),
        changed: later(change.changed),
        revoked: change.revoked,
      })
    },
  }
}
