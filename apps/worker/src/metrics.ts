import { billingStatus, type BillingStore } from '@outgrow/billing'
import type { Database } from '@outgrow/db'
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'

/** What Prometheus reads. */
export function createMetrics(database: Database, store: BillingStore) {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  // Gauges that are named as counters are: the same by type stays, without _total.
  for (const name of [
    'nodejs_active_resources_total',
    'nodejs_active_handles_total',
    'nodejs_active_requests_total',
  ])
    registry.removeSingleMetric(name)
  const outcomes = new Counter({
    name: 'outgrow_worker_outcomes_total',
    help: 'Events and messages processed, by outcome',
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
    help: 'How long the oldest pending event has been waiting',
    registers: [registry],
  })
  const outbox = new Gauge({
    name: 'outgrow_outbox_messages',
    help: 'Outbox messages, by state',
    labelNames: ['state'],
    registers: [registry],
  })
  const busy = new Counter({
    name: 'outgrow_database_busy_errors_total',
    help: 'SQLite busy errors, by code',
    labelNames: ['code'],
    registers: [registry],
  })
  const waited = new Counter({
    name: 'outgrow_database_wait_seconds_total',
    help: 'Time spent waiting for the write lock or a connection',
    registers: [registry],
  })
  return {
    outcomes,
    /** Prometheus’ text, with the queues as they are now. */
    async text(): Promise<{ type: string; body: string }> {
      const status = await billingStatus(store)
      for (const [name, count] of Object.entries(status.events)) events.set({ status: name }, count)
      for (const [name, count] of Object.entries(status.outbox)) outbox.set({ state: name }, count)
      oldest.set(status.oldestPending === null ? 0 : (Date.now() - status.oldestPending.getTime()) / 1000)
      const { busyByCode, waits } = database.counters()
      // The client has counted already: its sums are taken over as they are.
      busy.reset()
      for (const [code, count] of Object.entries(busyByCode)) busy.inc({ code }, count)
      waited.reset()
      waited.inc(waits.totalMs / 1000)
      return { type: registry.contentType, body: await registry.metrics() }
    },
  }
}
