import { setTimeout as sleep } from 'node:timers/promises'
import type { Arena } from './arena.ts'
import type { Life } from './life.ts'

/**
 * Waits until nothing is left to do. What waits for its next attempt is let go at once, and the leases of those who died
 * run out, as if the time had passed.
 */
export async function drained({ arena, plan }: Life, sends: boolean): Promise<boolean> {
  const { client } = arena.database
  const started = Date.now()
  // In a life about these nobody dies, and a lease that is lost would be judged.
  const mayEnd = plan.about !== 'storm' && plan.about !== 'rush' && plan.about !== 'flood'
  const due = longAgo()
  for (let looks = 0; Date.now() - started < 60_000; looks++) {
    await client.webhookEvent.updateMany({
      where: { status: 'PENDING', nextAttemptAt: { gt: due } },
      data: { nextAttemptAt: due },
    })
    await client.outboxMessage.updateMany({
      where: { sentAt: null, nextAttemptAt: { gt: due } },
      data: { nextAttemptAt: due },
    })
    if (mayEnd && looks % 100 === 20) await endLeases(arena)
    const events = await client.webhookEvent.count({ where: { status: { in: ['PENDING', 'PROCESSING'] } } })
    const messages = sends ? await client.outboxMessage.count({ where: { sentAt: null, deadAt: null } }) : 0
    if (events === 0 && messages === 0) return true
    await sleep(10)
  }
  return false
}

/** Ends all leases, as if they had run out. */
export async function endLeases({ database: { client } }: Arena): Promise<void> {
  const leaseUntil = longAgo()
  await client.webhookEvent.updateMany({ where: { status: 'PROCESSING' }, data: { leaseUntil } })
  await client.outboxMessage.updateMany({
    where: { sentAt: null, leaseUntil: { not: null } },
    data: { leaseUntil },
  })
}

/** For those too whose clock is behind. */
function longAgo(): Date {
  return new Date(Date.now() - 1_200_000)
}
