import type { BillingStore } from '@outgrow/billing'

/** Where a process may die: after a call of the store, around a commit, around a call to Stripe, after a message went out. */
export const workerPoints = [
  'after inbox.lease',
  'after fence.draw',
  'after fence.lock',
  'after subscriptions.write',
  'after access.writeEntitlements',
  'after fence.pass',
  'after outbox.put',
  'after inbox.settle',
  'before commit',
  'after commit',
  'after outbox.lease',
  'after send',
  'after outbox.settle',
] as const

/** On the way of a change of a subscription. */
export const changePoints = [
  'after customers.beginChange',
  'before call',
  'after call',
  'after customers.endChange',
  'before commit',
  'after commit',
] as const

/** On the way to a page on which something is bought. */
export const pagePoints = [
  'before call',
  'after call',
  'after customers.add',
  'after customers.beginCheckout',
  'before commit',
  'after commit',
] as const

export type WorkerPoint = (typeof workerPoints)[number]
export type ApplicationPoint = (typeof changePoints)[number] | (typeof pagePoints)[number]

/** Hears each point that the process comes to. */
export type Visit = (point: string) => Promise<void>

/** The store with a point after each of its calls, in transactions too, and around each commit. */
export function withPoints(store: BillingStore, visit: Visit): BillingStore {
  return {
    ...visited(store, visit),
    upkeep: store.upkeep,
    wakeups: store.wakeups,
    faultOf: (error) => store.faultOf(error),
    async transaction(work) {
      const result = await store.transaction(async (tx) => {
        const done = await work(visited(tx, visit))
        await visit('before commit')
        return done
      })
      await visit('after commit')
      return result
    },
  }
}

/** Each part of it, `inbox` and the others, with a point after each of its calls. */
function visited<Tables extends object>(tables: Tables, visit: Visit): Tables {
  const parts = Object.entries(tables).map(([part, calls]: [string, unknown]) => [
    part,
    typeof calls === 'object' && calls !== null ? visitedPart(part, calls, visit) : calls,
  ])
  return Object.fromEntries(parts) as Tables
}

function visitedPart(part: string, calls: object, visit: Visit): object {
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]: [string, unknown]) => [
      name,
      typeof call !== 'function'
        ? call
        : async (...given: unknown[]) => {
            const answer: unknown = await Reflect.apply(call, calls, given)
            await visit(`after ${part}.${name}`)
            return answer
          },
    ]),
  )
}
