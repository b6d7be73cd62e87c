import type { ChangeMark, CheckoutMark, Customer, Customers, Fence } from '../store.ts'
import { isOver, SubscriptionStatus } from '../state/statuses.ts'
import type { Rows } from './models.ts'
import { insertNew, type Scope } from './scope.ts'
import { lockCustomer } from './sql/lock.ts'

export function customersOf(scope: Scope): Customers {
  const { models, keys, write } = scope
  const read = readerOf(scope)
  return {
    async ofAccount(accountId) {
      const row = await models.customer.findUnique({ where: { accountId: keys.stored(accountId) } })
      return row ? read(row) : undefined
    },
    async ofStripe(stripeCustomerId) {
      const row = await models.customer.findUnique({ where: { stripeCustomerId } })
      if (row) return read(row)
      const [former] = await models.former.findMany<{ customer: Rows['customer'] }>({
        where: { stripeCustomerId },
        include: { customer: true },
      })
      return former ? read(former.customer) : undefined
    },
    async known(stripeCustomerIds) {
      const where = { stripeCustomerId: { in: stripeCustomerIds } }
      const select = { stripeCustomerId: true } as const
      const rows = [
        ...(await models.customer.findMany({ where, select })),
        ...(await models.former.findMany({ where, select })),
      ]
      return new Set(rows.map((row) => row.stripeCustomerId))
    },
    async page({ after, limit, only, until, prices }) {
      const rows = await models.customer.findMany({
        where: {
          ...(after === undefined ? {} : { id: { gt: after } }),
          ...(only ? { stripeCustomerId: { in: only } } : {}),
          ...(until ? { createdAt: { lte: until } } : {}),
          ...(prices ? { subscriptions: { some: runningAt(prices) } } : {}),
        },
        orderBy: { id: 'asc' },
        take: limit,
      })
      return rows.map(read)
    },
    async add({ accountId, ...customer }) {
      const key = keys.stored(accountId)
      await write(() => insertNew(scope, 'customer', [{ ...customer, accountId: key }]))
      return read(await models.customer.findUniqueOrThrow({ where: { accountId: key } }))
    },
    async replace(id, stripeCustomerId, replacedAt) {
      const before = await models.customer.findUniqueOrThrow({ where: { id } })
      await models.former.create({
        data: { stripeCustomerId: before.stripeCustomerId, customerId: id, replacedAt },
      })
      const syncSeq = before.syncSeq + 1
      await models.customer.update({
        where: { id },
        data: { stripeCustomerId, deleted: false, syncSeq, appliedSeq: syncSeq },
      })
    },
    async account(accountId) {
      const { account } = scope
      if (!account) return { name: null }
      const { id, name } = account
      const row = await account.findUnique({
        where: { [id]: keys.stored(accountId) },
        select: { [id]: true, ...(name === undefined ? {} : { [name]: true }) },
      })
      const found = name === undefined ? null : row?.[name]
      return row ? { name: typeof found === 'string' ? found : null } : undefined
    },
    async beginChange(id, { name, until }) {
      const { syncSeq } = await write(() =>
        models.customer.update({
          where: { id },
          data: { change: name, changeUntil: until, syncSeq: { increment: 1 } },
        }),
      )
      return syncSeq
    },
    async endChange(id, { name, until }) {
      await write(() =>
        models.customer.updateMany({
          where: { id, change: name, changeUntil: until },
          data: { change: null, changeUntil: null },
        }),
      )
    },
    async beginCheckout(id, intent) {
      const { syncSeq: number } = await models.customer.update({
        where: { id },
        data: { syncSeq: { increment: 1 } },
      })
      await models.customer.update({ where: { id }, data: { checkout: `${number} ${intent}` } })
      return { number, intent }
    },
  }
}

export function fenceOf(scope: Scope): Fence {
  const { models, write } = scope
  const read = readerOf(scope)
  return {
    async draw(id) {
      const { syncSeq } = await write(() =>
        models.customer.update({ where: { id }, data: { syncSeq: { increment: 1 } } }),
      )
      return syncSeq
    },
    async lock(id) {
      await lockCustomer(scope, id)
      return read(await models.customer.findUniqueOrThrow({ where: { id } }))
    },
    async pass(id, appliedSeq, { deleted, email }) {
      await write(() => models.customer.update({ where: { id }, data: { appliedSeq, deleted, email } }))
    },
  }
}

const readerOf =
  ({ keys }: Scope) =>
  (row: Rows['customer']): Customer => ({
    id: row.id,
    accountId: keys.text(row.accountId),
    stripeCustomerId: row.stripeCustomerId,
    email: row.email,
    deleted: row.deleted,
    change: markOf(row),
    checkout: checkoutOf(row),
    baselineAt: row.baselineAt ?? row.createdAt,
    appliedSeq: row.appliedSeq,
  })

function markOf({ change, changeUntil }: Rows['customer']): ChangeMark | undefined {
  return changeUntil === null ? undefined : { name: change ?? 'unnamed', until: changeUntil }
}

const overStatuses = Object.values(SubscriptionStatus).filter(isOver)

function runningAt(prices: readonly string[]): object {
  return { status: { notIn: overStatuses }, items: { some: { stripePriceId: { in: prices } } } }
}

function checkoutOf({ checkout }: Rows['customer']): CheckoutMark | undefined {
  if (checkout === null) return undefined
  const [number = '', intent = ''] = checkout.split(' ')
  return { number: Number(number), intent }
}
