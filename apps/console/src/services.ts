import type { BillingStore, openStripe } from '@outgrow/billing'
import type { Database } from '@outgrow/db'
import type { SignStore } from '@outgrow/signs'
import type { Logger } from 'pino'
import type { ActionDesk } from './graduation/action-desk.ts'
import type { Ends } from './graduation/ends.ts'
import type { Live } from './live.ts'

/** What every page works with. */
export interface Services {
  database: Database
  billing: BillingStore
  store: SignStore
  live: Live
  /** Where the command line keeps the journals of its runs. */
  runsDirectory: string
  workDirectory: string
  ends: Ends
  desk: ActionDesk
  /** Aborts when the console ends. */
  stop: AbortSignal
  /** Undefined where the environment has no key. */
  stripe: ReturnType<typeof openStripe> | undefined
  token: string
  /** Host headers that are answered. */
  hosts: ReadonlySet<string>
  log: Logger
}
