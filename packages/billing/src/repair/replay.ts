import { EventStatus } from '../state/statuses.ts'
import type { BillingStore } from '../store.ts'

export interface ReplaySelection {
  /** Stripe's event ids. */
  ids?: string[] | undefined
  type?: string | undefined
  since?: Date | undefined
  /** Only those that were given up. */
  dead?: boolean | undefined
}

/** Puts events back into the queue. They are synchronised from Stripe, so a repeat does no harm. Returns how many. */
export function replay(
  { upkeep }: BillingStore,
  { ids, type, since, dead }: ReplaySelection,
  dryRun = false,
): Promise<number> {
  const statuses = dead ? [EventStatus.DEAD] : [EventStatus.DEAD, EventStatus.DONE, EventStatus.IGNORED]
  return upkeep.requeueEvents({ statuses, stripeEventIds: ids, type, since }, new Date(), dryRun)
}

/** Lets outbox messages be sent that were given up, or heard of too late to be sent by themselves. Returns how many. */
export function replayOutbox(
  { upkeep }: BillingStore,
  which: 'dead' | 'late' = 'dead',
  dryRun = false,
): Promise<number> {
  return upkeep.requeueMessages(which, new Date(), dryRun)
}
