import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { parseEnv } from '@outgrow/kit/env'

const shape = {
  DATABASE_URL: z.string().min(1, 'file:./app.db or postgresql://…'),
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3002),
  /** Where a graduation goes: needed to change one from its page. */
  POSTGRES_URL: z.string().optional(),
  /** The way to that past a pooler. */
  DIRECT_URL: z.string().optional(),
  /** What opens the console; without it one is made at each start and printed. */
  CONSOLE_TOKEN: z
    .string()
    .regex(/^[\w-]{16,}$/, 'at least 16 letters, digits, - or _')
    .default(() => randomBytes(24).toString('base64url')),
  /** Names under which it is reached besides loopback's, with commas between. */
  CONSOLE_HOSTS: z.string().default(''),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
  /** The work folder: signs of the processes, runs of the command line. */
  SIGNS_DIR: z.string().default('.outgrow'),
  /** Needed to reconcile. */
  STRIPE_SECRET_KEY: z.string().optional(),
}

/** @throws Failure OUTGROW_ENV_INVALID */
export function consoleEnv(env: Record<string, string | undefined> = process.env) {
  return parseEnv(shape, env)
}
