import { containsText, orderWithNulls, withRetry, type Database } from '@outgrow/client'

/** A small piece of an application. It does not know which database it runs on. */
export async function application(database: Database): Promise<Record<string, unknown>> {
  const { client } = database
  const search = await client.product.findMany({
    where: { name: containsText(database, 'brave led') },
    orderBy: { id: 'asc' },
    take: 3,
    select: { name: true, stage: true, createdAt: true, revenue: true },
  })
  const best = await client.product.findMany({
    orderBy: [{ revenue: orderWithNulls('desc', 'last') }, { id: 'asc' }],
    take: 2,
    select: {
      name: true,
      revenue: true,
      owner: { select: { email: true } },
      _count: { select: { votes: true } },
    },
  })
  const byStage = await client.product.groupBy({ by: ['stage'], _count: true, orderBy: { stage: 'asc' } })
  const big = await client.product.findUniqueOrThrow({
    where: { id: 1 },
    select: { visits: true, stack: true },
  })
  const vote = await withRetry(() =>
    client.$transaction(async (tx) => {
      const key = { userId_productId: { userId: 'user_9999', productId: 4242 } }
      const { weight } = await tx.vote.upsert({
        where: key,
        create: { ...key.userId_productId, weight: 1 },
        update: { weight: { increment: 1 } },
      })
      return weight
    }),
  )
  return {
    search: search.map(({ revenue, ...product }) => ({ ...product, revenue: revenue?.toFixed(2) ?? null })),
    best: best.map(({ revenue, ...product }) => ({ ...product, revenue: revenue?.toFixed(2) ?? null })),
    stages: Object.fromEntries(byStage.map(({ stage, _count }) => [stage, _count])),
    visits: String(big.visits),
    stack: big.stack,
    vote,
  }
}
