import type { ServerFacts } from '../read-server.ts'
import type { PoolerReadings } from './pooler-readings.ts'
import type { AuthQueryState } from './read-behind.ts'

/** Something that is wrong with a pooler, or with the way to it. */
export interface PoolFinding {
  code: `OUTGROW_${string}`
  fact: string
  why: string
  fix: string
}

/** Everything that was looked at. What is undefined could not be read, or was not given. */
export interface PoolReadings {
  pooler: PoolerReadings
  /** SHOW CONFIG by name. */
  config: Map<string, string>
  server: ServerFacts | undefined
  /** Of each database of the pooler that asks for passwords. */
  authQuery: { database: string; state: AuthQueryState }[]
  /** Of sessions through the pooler. */
  timeZone: string | undefined
  isPooledUrlPooled: boolean | undefined
  isDirectUrlPooled: boolean | undefined
  /** Who the application connects as, and where to. */
  application: { role: string; database: string } | undefined
  processes: number | undefined
  connectionLimit: number
  poolTimeoutSeconds: number
}

export interface Judgement {
  findings: PoolFinding[]
  /** What was not measured, with the reason. */
  unknown: string[]
}
