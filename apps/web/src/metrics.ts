import type { Server } from 'node:http'
import { serve } from '@hono/node-server'
import type { Database } from '@outgrow/db'
import { messageOf } from '@outgrow/kit'
import {
  answerMetrics,
  createMetrics,
  databaseGroup,
  followsGroup,
  pingGroup,
  type Metrics,
} from '@outgrow/operations/monitoring'
import type { Logger } from 'pino'
import { Histogram } from 'prom-client'
import type { webEnv } from './env.ts'

export interface WebMetricsOptions {
  env: ReturnType<typeof webEnv>
  database: Database
  log: Logger
}

export type WebMetrics = Metrics & { requests: Histogram<'method' | 'status'> }

/** What a web process reports of itself; what all processes share is the worker's. */
export function webMetrics({ env, database, log }: WebMetricsOptions): WebMetrics {
  const metrics = createMetrics({
    groups: [
      databaseGroup(database),
      pingGroup(() => database.client.$queryRaw`SELECT 1`),
      followsGroup(env.DATABASE_URL, database),
    ],
    onFailed: (collector, error) =>
      log.warn({ collector, error: messageOf(error) }, 'metrics cannot be read'),
  })
  const requests = new Histogram({
    name: 'outgrow_http_request_duration_seconds',
    help: 'Requests of browsers and webhooks, by method and status',
    labelNames: ['method', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [metrics.registry],
  })
  return { ...metrics, requests }
}

/** Serves the metrics on a port of their own. Where that is taken the application goes on without. */
export function serveMetrics(metrics: Metrics, { env, log }: Omit<WebMetricsOptions, 'database'>): Server {
  const { METRICS_HOST: hostname, METRICS_PORT: port, METRICS_TOKEN: token } = env
  const fetch = (request: Request) =>
    new URL(request.url).pathname === '/metrics'
      ? answerMetrics(request, metrics, token)
      : new Response('Metrics are at /metrics.\n', { status: 404 })
  const server = serve({ fetch, hostname, port }) as Server
  server.on('error', (error) => log.error({ port, error: error.message }, 'metrics cannot be served'))
  return server
}
