import { attentionOf, billingStatus, type BillingStore } from '@outgrow/billing'
import type { Database } from '@outgrow/db'
import { messageOf } from '@outgrow/kit'
import {
  backupsGroup,
  createMetrics,
  customersGroup,
  databaseGroup,
  diskGroup,
  followsGroup,
  graduationGroup,
  inboxGroup,
  pingGroup,
  poolerGroup,
  postgresGroup,
  sqliteGroup,
  type Metrics,
} from '@outgrow/operations/monitoring'
import type { Logger } from 'pino'
import { Counter } from 'prom-client'
import type { workerEnv } from './env.ts'

export interface WorkerMetricsOptions {
  env: ReturnType<typeof workerEnv>
  database: Database
  store: BillingStore
  log: Logger
}

/** What the worker reports: of itself, and for the whole application of what all its processes share. */
export function workerMetrics({ env, database, store, log }: WorkerMetricsOptions): Metrics & {
  outcomes: Counter<'outcome'>
} {
  const metrics = createMetrics({
    groups: [
      databaseGroup(database),
      pingGroup(() => database.client.$queryRaw`SELECT 1`),
      followsGroup(env.DATABASE_URL, database),
      inboxGroup(() => store.upkeep.counts(new Date())),
      customersGroup(async () => {
        const status = await billingStatus(store)
        return { attention: attentionOf(status), reconciledAt: status.reconciled?.finishedAt ?? null }
      }),
      sqliteGroup(database),
      postgresGroup(database),
      graduationGroup(env.DATABASE_URL, process.env.POSTGRES_URL),
      diskGroup(database, env.SIGNS_DIR),
      ...(env.OUTGROW_BACKUP_TO === undefined ? [] : [backupsGroup(env.OUTGROW_BACKUP_TO, database)]),
      ...(env.PGBOUNCER_ADMIN_URL === undefined ? [] : [poolerGroup(env.PGBOUNCER_ADMIN_URL)]),
    ],
    onFailed: (collector, error) =>
      log.warn({ collector, error: messageOf(error) }, 'metrics cannot be read'),
  })
  const outcomes = new Counter({
    name: 'outgrow_worker_outcomes_total',
    help: 'Events and messages processed, by outcome',
    labelNames: ['outcome'],
    registers: [metrics.registry],
  })
  return { ...metrics, outcomes }
}
