import { setTimeout as sleep } from 'node:timers/promises'
import type { Life } from './life.ts'

/** How often each worker is refused before a storm ends, where there is enough to do. */
const refusalsEach = 2

/** Waits until Stripe has refused the workers a few times, or has let them do everything. */
export async function stormed({ arena: { gateway, workers, database } }: Life): Promise<void> {
  const status = { in: ['PENDING', 'PROCESSING'] as ('PENDING' | 'PROCESSING')[] }
  for (const started = Date.now(); gateway.limit !== undefined && Date.now() - started < 10_000;) {
    const refusals = gateway.calls.filter(({ caller, isRefused }) => isRefused && caller === 'worker').length
    if (refusals >= refusalsEach * workers.length) return
    if ((await database.client.webhookEvent.count({ where: { status } })) === 0) return
    await sleep(20)
  }
}
