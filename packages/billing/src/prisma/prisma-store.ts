import { isRetryable, isUnavailable, withRetry, type TransactionClient } from '@outgrow/client'
import type { BillingStore, BillingTables } from '../store.ts'
import { accessOf } from './access.ts'
import type { ModelName, PrismaDatabase, PrismaLike } from './client.ts'
import { customersOf, fenceOf } from './customers.ts'
import { inboxOf } from './inbox.ts'
import {
  accountKeys,
  delegatesOf,
  modelNames,
  storedModels,
  type BillingModels,
  type Role,
} from './models.ts'
import { outboxOf } from './outbox.ts'
import type { AccountModel, Scope } from './scope.ts'
import { quotedModel } from './stored-model.ts'
import { subscriptionsOf } from './subscriptions.ts'
import { unlinkedOf } from './unlinked.ts'
import { tasksOf } from './tasks.ts'
import { upkeepOf } from './upkeep.ts'
import { wakeupsOf } from './wakeups.ts'

export interface PrismaStoreOptions<Client> {
  /**
   * Which of the client's models is what to billing; the rest have the names that `outgrow billing init` gives, with the
   * prefix `billing` where theirs was taken.
   */
  models?: Partial<BillingModels<Client>> | undefined
  /** The model that stands for whoever pays: an account, a team, a user. */
  account?: { model?: ModelName<Client> | undefined; key?: string; name?: string } | undefined
}

/**
 * Billing's store in a project's own Prisma models.
 * @throws Failure OUTGROW_BILLING_MODELS when the client does not have them
 */
export function prismaStore<Client extends PrismaLike>(
  database: PrismaDatabase<Client>,
  { models, account = {} }: PrismaStoreOptions<Client> = {},
): BillingStore<TransactionClient<Client>> {
  const names = modelNames(database.client, { ...models })
  const storedOf = storedByProvider(database, names)
  const keys = accountKeys(storedOf())
  const wakeups = wakeupsOf(database)
  const root: Scope = {
    client: database.client,
    // A database that is opened otherwise stays what it is.
    perProvider: async (make) => await (database.perProvider?.(make) ?? make(database)),
    get provider() {
      return database.provider
    },
    get stored() {
      return storedOf()
    },
    get account() {
      return accountModel(database.client, database.client, account)
    },
    models: delegatesOf(database.client, names),
    names,
    keys,
    wake: wakeups.wake,
    write: withRetry,
  }
  /** Within a transaction's callback: it keeps the database that it began on. */
  const scopeOf = (tx: PrismaLike, wake: () => void): Scope => {
    const { provider } = database
    return {
      client: tx,
      perProvider: async (make) => await make({ provider, client: tx }),
      provider,
      stored: storedOf(),
      get account() {
        return accountModel(database.client, tx, account)
      },
      models: delegatesOf(tx, names),
      names,
      keys,
      wake,
      // What failed took the transaction with it: only the whole can be tried again.
      write: (once) => once(),
    }
  }
  return {
    ...tablesOf(root),
    upkeep: { ...upkeepOf(root), ...tasksOf(root) },
    wakeups,
    transaction: (work) =>
      withRetry(async () => {
        const { client } = database as unknown as { client: Transactional }
        let mayWake = false
        const result = await client.$transaction((tx) => work(tablesOf(scopeOf(tx, () => (mayWake = true)))))
        if (mayWake) wakeups.wake()
        return result
      }),
    faultOf: (error) => (isUnavailable(error) ? 'unavailable' : isRetryable(error) ? 'busy' : undefined),
  }
}

interface Transactional {
  $transaction<Result>(work: (tx: PrismaLike) => Promise<Result>): Promise<Result>
}

/** Names may differ between the two databases' schemas; each is read once. */
function storedByProvider(database: PrismaDatabase, names: Record<Role, string>): () => Scope['stored'] {
  const known = new Map<string, Scope['stored']>()
  return () => {
    const stored = known.get(database.provider) ?? storedModels(database.client, names)
    known.set(database.provider, stored)
    return stored
  }
}

function tablesOf<Client>(scope: Scope): BillingTables<Client> {
  return {
    // What the caller's own client is, only the caller knows.
    client: scope.client as Client,
    inbox: inboxOf(scope),
    outbox: outboxOf(scope),
    customers: customersOf(scope),
    fence: fenceOf(scope),
    subscriptions: subscriptionsOf(scope),
    access: accessOf(scope),
    unlinked: unlinkedOf(scope),
  }
}

/** Undefined where accounts are kept elsewhere. */
function accountModel(
  root: PrismaLike,
  of: PrismaLike,
  {
    model = 'account',
    key = 'id',
    name = 'name',
  }: { model?: string | undefined; key?: string; name?: string },
): AccountModel | undefined {
  const stored = quotedModel(root, model)
  const delegate = (of as unknown as Record<string, Pick<AccountModel, 'findUnique'> | undefined>)[model]
  if (!stored || !delegate) return undefined
  return {
    id: key,
    name: stored.fields.has(name) ? name : undefined,
    findUnique: (args) => delegate.findUnique(args),
  }
}
