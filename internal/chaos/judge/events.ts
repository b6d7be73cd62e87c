import type { Database } from '@outgrow/db'

/** Events of customers that are not done with, or were given up. */
export async function stuckEvents({ client }: Database, customers: string[]): Promise<string[]> {
  const stuck = await client.webhookEvent.count({
    where: { customerId: { in: customers }, status: { in: ['PENDING', 'PROCESSING', 'DEAD'] } },
  })
  return stuck > 0 ? [`${stuck} events are stuck`] : []
}

/** Attempts that events were charged with, where nothing but Stripe's limit stood in their way. */
export async function burnedAttempts(
  { client }: Database,
  customers: string[],
  failures: ReadonlyMap<string, string[]>,
): Promise<string[]> {
  const events = await client.webhookEvent.findMany({
    where: { customerId: { in: customers }, attempts: { gt: 1 } },
    select: { stripeEventId: true, attempts: true },
  })
  return events.flatMap(({ stripeEventId, attempts }) => {
    const others = (failures.get(stripeEventId) ?? []).filter((why) => !why.includes('RateLimit'))
    return attempts > 1 + others.length
      ? [`${stripeEventId} took ${attempts} attempts, and only Stripe’s limit failed`]
      : []
  })
}
