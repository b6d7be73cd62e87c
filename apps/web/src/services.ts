import type { Billing, PlanConfig } from '@outgrow/billing'
import type { Database } from '@outgrow/db'
import type { Tracing } from '@outgrow/operations/monitoring'
import type { Logger } from 'pino'
import type { Auth } from './auth.ts'
import type { WebMetrics } from './metrics.ts'

/** What every page works with. */
export interface Services extends Billing {
  database: Database
  auth: Auth
  plans: PlanConfig
  /** Where browsers reach the application, without a slash at the end. */
  appUrl: string
  webhookSecrets: string[]
  /** Set where a stand-in takes Stripe's place. */
  stripeApiBase: string | undefined
  /** Where Stripe's own pages are. */
  stripeOrigins: string[]
  addressHeader: string | undefined
  /** How long requests took. */
  requests: WebMetrics['requests']
  /** Undefined where nobody receives spans. */
  tracing: Tracing | undefined
  log: Logger
}

/** Who is signed in, and the account that they act for. */
export interface Visitor {
  id: string
  name: string
  email: string
  accountId: string
  /** Whether they may see and change what the account pays. */
  mayPay: boolean
  /** Set while a payment is owed. */
  owes: boolean
}

/** Hono's context: who asks is known to every page. */
export interface WebEnvironment {
  Variables: { visitor: Visitor | undefined; requestId: string }
}
