import { byLabel, type MetricGroup } from './family.ts'

/** What waits in the queues of billing. */
export interface QueueCounts {
  /** Events by status. */
  events: Record<string, number>
  oldestPending: Date | null
  /** Messages by state. */
  outbox: Record<string, number>
}

const families = [
  { name: 'outgrow_inbox_events', type: 'gauge', help: 'Webhook events in the inbox, by status' },
  {
    name: 'outgrow_inbox_oldest_pending_seconds',
    type: 'gauge',
    help: 'How long the oldest pending event has been waiting; 0 where none is',
  },
  { name: 'outgrow_outbox_messages', type: 'gauge', help: 'Messages of the outbox, by state' },
] as const

/** @param counts reads the queues as they are now */
export function inboxGroup(counts: () => Promise<QueueCounts>): MetricGroup {
  return {
    name: 'inbox',
    families,
    read: async () => {
      const { events, oldestPending, outbox } = await counts()
      const waited = oldestPending === null ? 0 : (Date.now() - oldestPending.getTime()) / 1000
      return [
        ...byLabel('outgrow_inbox_events', 'status', events),
        { name: 'outgrow_inbox_oldest_pending_seconds', value: Math.max(0, waited) },
        ...byLabel('outgrow_outbox_messages', 'state', outbox),
      ]
    },
  }
}
