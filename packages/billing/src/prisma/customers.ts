import type { ChangeMark, Customer, Customers, Fence } from '../store.ts'
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
      return row ? read(row) : undefined
    },
    async page({ after, limit, only }) {
      const rows = await models.customer.findMany({
        where: {
          ...(after === undefined ? {} : { id: { gt: after } }),
          ...(only ? { stripeCustomerId: { in: only } } : {}),
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
    appliedSeq: row.appliedSeq,
  })

function markOf({ change, changeUntil }: Rows['customer']): ChangeMark | undefined {
  return changeUntil === null ? undefined : { name: change ?? 'unnamed', until: changeUntil }
}
