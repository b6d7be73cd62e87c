import { z } from 'zod'
import { parseEnv } from '@outgrow/kit/env'

const shape = {
  DATABASE_URL: z.string().min(1, 'file:./app.db or postgresql://…'),
  /** Where browsers reach the application. */
  APP_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:3000'),
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  /** Of the metrics, which have a server of their own: where browsers reach the application, nobody reads them. */
  METRICS_PORT: z.coerce.number().int().min(0).max(65_535).default(3004),
  METRICS_HOST: z.string().default('127.0.0.1'),
  /** Whoever asks for the metrics must send it as a bearer token. */
  METRICS_TOKEN: z.string().min(16, 'at least 16 characters, as openssl rand -hex 24 prints').optional(),
  AUTH_SECRET: z.string().min(32, 'at least 32 random characters, as openssl rand -base64 32 prints'),
  /** Two, with a comma between them, while one is being replaced. */
  STRIPE_WEBHOOK_SECRET: z.string().regex(/^whsec_\w+(,whsec_\w+)*$/, 'a secret that starts with whsec_'),
  STRIPE_API_BASE: z.url({ protocol: /^https?$/ }).optional(),
  PRICE_PRO: z.string().regex(/^price_\w+$/, 'the id of a price at Stripe'),
  PRICE_TEAM: z.string().regex(/^price_\w+$/, 'the id of a price at Stripe'),
  /** The header in which your own proxy names the visitor's address; none means that browsers connect directly. */
  ADDRESS_HEADER: z.string().toLowerCase().optional(),
  /** The receiver of OpenTelemetry's spans; without it none are made. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
  /** Where the signs of strain are kept for doctor and the console. */
  SIGNS_DIR: z.string().default('.outgrow'),
}

/** @throws Failure OUTGROW_ENV_INVALID */
export function webEnv(env: Record<string, string | undefined> = process.env) {
  return parseEnv(shape, env)
}
