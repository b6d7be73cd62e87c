import { setImmediate as turn } from 'node:timers/promises'
import type { SampleDatabase } from '@outgrow/sample'

/** What a process was answered, to be held against what is stored. */
export interface Ledger {
  /** Names that were acknowledged, each of which is unique where it is stored. */
  labels: string[]
  /** Acknowledged additions to one counter. */
  added: number
  /** Answers, by the kind of operation. */
  answers: Record<string, number>
  errors: string[]
  /** The longest time between two answers of any writer, and what was asked then. */
  longestGapMs: number
}

/** Kinds of operations that run at the same time, each one after the other; each returns what was added and stored. */
function workers(database: SampleDatabase, ledger: Ledger, mark: string) {
  const { client } = database
  const { label, item } = client
  const extended = client.$extends({
    query: { $allOperations: async ({ args, query }) => query(args) as unknown },
  })
  let next = 0
  const name = () => `${mark}-${next++}`
  const stored = async (name: string, write: PromiseLike<unknown>) => {
    await write
    ledger.labels.push(name)
  }
  const added = async (write: PromiseLike<unknown>) => {
    await write
    ledger.added++
  }
  const writers: Record<string, () => Promise<unknown>> = {
    create: () => {
      const data = { name: name() }
      return stored(data.name, label.create({ data }))
    },
    extended: () => {
      const data = { name: name() }
      return stored(data.name, extended.label.create({ data }))
    },
    nested: () => {
      const slug = name()
      const data = { name: slug, slug, items: { create: { slug, name: slug } } }
      return client.account.create({ data }).then(() => client.account.delete({ where: { slug } }))
    },
    executeRaw: () =>
      added(client.$executeRaw`UPDATE items SET visits = visits + ${1} WHERE slug = ${'counter'}`),
    executeRawUnsafe: () =>
      added(client.$executeRawUnsafe("UPDATE items SET visits = visits + 1 WHERE slug = 'counter'")),
    perProvider: () =>
      added(
        database.perProvider(({ provider, client }) =>
          client.$executeRawUnsafe(
            `UPDATE items SET visits = visits + 1 WHERE slug = ${provider === 'sqlite' ? '?' : '$1'}`,
            'counter',
          ),
        ),
      ),
    increment: () => added(item.update({ where: { slug: 'counter' }, data: { visits: { increment: 1 } } })),
    transfer: () =>
      client.$transaction(async (tx) => {
        await tx.item.update({ where: { slug: 'from' }, data: { rating: { decrement: 1 } } })
        await turn()
        await tx.item.update({ where: { slug: 'to' }, data: { rating: { increment: 1 } } })
      }),
    batch: () => {
      const data = { name: name() }
      return stored(
        data.name,
        extended.$transaction([
          extended.item.update({ where: { slug: 'from' }, data: { rating: { increment: 1 } } }),
          item.update({ where: { slug: 'to' }, data: { rating: { decrement: 1 } } }),
          label.create({ data }),
        ]),
      )
    },
  }
  const readers: Record<string, () => Promise<unknown>> = {
    sum: async () => {
      const { _sum } = await item.aggregate({
        where: { slug: { in: ['from', 'to'] } },
        _sum: { rating: true },
      })
      if (_sum.rating !== 0) throw new Error(`a sum of ${_sum.rating} was read`)
    },
    findUniques: async () => {
      const slugs = ['from', 'to', 'counter']
      const found = await Promise.all(slugs.map((slug) => item.findUnique({ where: { slug } })))
      if (found.some((row) => row === null)) throw new Error('a row was not found')
    },
    fluent: async () => {
      const items = await client.account.findUnique({ where: { id: 'a' } }).items()
      if (items?.length !== 3) throw new Error('the items were not found')
    },
    ownWrites: async () => {
      const last = ledger.labels.at(-1)
      if (last === undefined) return
      const found = await client.$queryRaw<unknown[]>`SELECT name FROM labels WHERE name = ${last}`
      if (found.length !== 1) throw new Error(`${last} was acknowledged and is not there`)
    },
  }
  return { ...writers, ...readers }
}

/** Works until told to stop. */
export async function work(
  database: SampleDatabase,
  mark: string,
  isStopped: () => boolean,
): Promise<Ledger> {
  const ledger = emptyLedger()
  await workOn(ledger, database, mark, isStopped)
  return ledger
}

export function emptyLedger(): Ledger {
  return { labels: [], added: 0, answers: {}, errors: [], longestGapMs: 0 }
}

export async function workOn(
  ledger: Ledger,
  database: SampleDatabase,
  mark: string,
  isStopped: () => boolean,
): Promise<void> {
  await Promise.all(
    Object.entries(workers(database, ledger, mark)).map(async ([kind, once]) => {
      while (!isStopped()) {
        const asked = performance.now()
        await once().then(
          () => (ledger.answers[kind] = (ledger.answers[kind] ?? 0) + 1),
          (error: unknown) => ledger.errors.push(`${kind}: ${String((error as Error).stack ?? error)}`),
        )
        ledger.longestGapMs = Math.max(ledger.longestGapMs, performance.now() - asked)
        await turn()
      }
    }),
  )
}
