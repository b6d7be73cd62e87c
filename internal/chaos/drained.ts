import { setTimeout as sleep } from 'node:timers/promises'
import type { Life } from './life.ts'

/**
 * Waits until nothing is left to do. What waits for its next attempt is let go at once, and the leases of those who died
 * run out, as if the time had passed.
 */
export async function drained({ arena, plan }: Life, sends: boolean): Promise<boolean> {
  const { client } = arena.database
  const started = Date.now()
  // In a life about these nobody dies, and a lease that is lost would be judged.
  const leasesEnd = plan.about !== 'storm' && plan.about !== 'rush' && plan.about !== 'flood'
  // Due for those too whose clock is behind.
  const due = new Date(started - 1_200_000)
  for (let looks = 0; Date.now() - started < 60_000; looks++) {
    await client.webhookEvent.updateMany({
      where: { status: 'PENDING', nextAttemptAt: { gt: due } },
      data: { nextAttemptAt: due },
    })
    await client.outboxMessage.updateMany({
      where: { sentAt: null, nextAttemptAt: { gt: due } },
      data: { nextAttemptAt: due },
    })
    if (leasesEnd && looks % 100 === 20) {
      await client.webhookEvent.updateMany({ where: { status: 'PROCESSING' }, data: { leaseUntil: due } })
      await client.outboxMessage.updateMany({
        where: { sentAt: null, leaseUntil: { not: null } },
        data: { leaseUntil: due },
      })
    }
    const events = await client.webhookEvent.count({ where: { status: { in: ['PENDING', 'PROCESSING'] } } })
    const messages = sends ? await client.outboxMessage.count({ where: { sentAt: null, deadAt: null } }) : 0
    if (events === 0 && messages === 0) return true
    await sleep(10)
  }
  return false
}
