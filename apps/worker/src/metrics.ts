import { billingStatus } from '@outgrow/billing'
import type { Database } from '@outgrow/client'
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'

/** What Prometheus reads. */
export function createMetrics(database: Database) {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const outcomes = new Counter({
    name: 'outgrow_worker_outcomes_total',
    help: 'Events and messages worked on, by what came of them',
    labelNames: ['outcome'],
    registers: [registry],
  })
  const events = new Gauge({
    name: 'outgrow_inbox_events',
    help: 'Webhook events in the inbox, by status',
    labelNames: ['status'],
    registers: [registry],
  })
  const oldest = new Gauge({
    name: 'outgrow_inbox_oldest_pending_seconds',
    help: 'How long the oldest event that waits has been waiting',
    registers: [registry],
  })
  const outbox = new Gauge({
    name: 'outgrow_outbox_messages',
    help: 'Outbox messages, by state',
    labelNames: ['state'],
    registers: [registry],
  })
  const busy = new Gauge({
    name: 'outgrow_database_busy_errors',
    help: 'SQLite busy errors since the start, by code',
    labelNames: ['code'],
    registers: [registry],
  })
  const waited = new Gauge({
    name: 'outgrow_database_wait_ms',
    help: 'Milliseconds spent waiting for the write lock or a connection since the start',
    registers: [registry],
  })
  return {
    outcomes,
    /** Prometheus’ text, with the queues as they are now. */
    async text(): Promise<{ type: string; body: string }> {
      const status = await billingStatus(database)
      for (const [name, count] of Object.entries(status.events)) events.set({ status: name }, count)
      for (const [name, count] of Object.entries(status.outbox)) outbox.set({ state: name }, count)
      oldest.set(status.oldestPending === null ? 0 : (Date.now() - status.oldestPending.getTime()) / 1000)
      const { busyByCode, waits } = database.counters()
      for (const [code, count] of Object.entries(busyByCode)) busy.set({ code }, count)
      waited.set(waits.totalMs)
      return { type: registry.contentType, body: await registry.metrics() }
    },
  }
}
