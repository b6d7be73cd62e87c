import { containsText, orderWithNulls, withRetry } from '@outgrow/client'
import type { SampleDatabase } from '@outgrow/sample'

/** A small piece of an application. It does not know which database it runs on. */
export async function application(database: SampleDatabase): Promise<Record<string, unknown>> {
  const { client } = database
  const search = await client.item.findMany({
    where: { name: containsText(database, 'brave led') },
    orderBy: { id: 'asc' },
    take: 3,
    select: { name: true, stage: true, createdAt: true, revenue: true },
  })
  const best = await client.item.findMany({
    orderBy: [{ revenue: orderWithNulls('desc', 'last') }, { id: 'asc' }],
    take: 2,
    select: {
      name: true,
      revenue: true,
      owner: { select: { email: true } },
      _count: { select: { votes: true } },
    },
  })
  const byStage = await client.item.groupBy({ by: ['stage'], _count: true, orderBy: { stage: 'asc' } })
  const big = await client.item.findUniqueOrThrow({
    where: { id: 1 },
    select: { visits: true, stack: true },
  })
  const vote = await withRetry(() =>
    client.$transaction(async (tx) => {
      const key = { personId_itemId: { personId: 'person_9999', itemId: 4242 } }
      const { weight } = await tx.vote.upsert({
        where: key,
        create: { ...key.personId_itemId, weight: 1 },
        update: { weight: { increment: 1 } },
      })
      return weight
    }),
  )
  return {
    search: search.map(({ revenue, ...item }) => ({ ...item, revenue: revenue?.toFixed(2) ?? null })),
    best: best.map(({ revenue, ...item }) => ({ ...item, revenue: revenue?.toFixed(2) ?? null })),
    stages: Object.fromEntries(byStage.map(({ stage, _count }) => [stage, _count])),
    visits: String(big.visits),
    stack: big.stack,
    vote,
  }
}
