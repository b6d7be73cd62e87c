import { z } from 'zod'
import { parseEnv } from '@outgrow/kit/env'

const shape = {
  DATABASE_URL: z.string().min(1, 'file:./app.db or postgresql://…'),
  HOST: z.string().default('127.0.0.1'),
  /** Of health and metrics. */
  PORT: z.coerce.number().int().min(0).max(65_535).default(3001),
  /** Whoever asks for the metrics must send it as a bearer token. */
  METRICS_TOKEN: z.string().min(16, 'at least 16 characters, as openssl rand -hex 24 prints').optional(),
  /** Where backups are kept, as outgrow backup --to takes it: the worker reports their age. */
  OUTGROW_BACKUP_TO: z.string().min(1).optional(),
  /** The console of pgbouncer: its database is pgbouncer, its user one of stats_users. */
  PGBOUNCER_ADMIN_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** Customers and messages that are worked on at a time. */
  CONCURRENCY: z.coerce.number().int().min(1).max(64).default(4),
  STRIPE_API_BASE: z.url({ protocol: /^https?$/ }).optional(),
  /** Of Stripe, a second for each endpoint: with several workers, this one's share of what Stripe allows. */
  STRIPE_CALLS_PER_SECOND: z.coerce.number().positive().optional(),
  /** Where mails go; without it they are written to the log. */
  SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  MAIL_FROM: z.string().default('Outgrow <hello@example.com>'),
  /** The receiver of OpenTelemetry's spans; without it none are made. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
  /** Where the signs of strain are kept for doctor and the console. */
  SIGNS_DIR: z.string().default('.outgrow'),
}

/** @throws Failure OUTGROW_ENV_INVALID */
export function workerEnv(env: Record<string, string | undefined> = process.env) {
  return parseEnv(shape, env)
}
