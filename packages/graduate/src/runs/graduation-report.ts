import type { GraduationState } from '@outgrow/databases'
import type { Pause } from '../ledger/graduation.ts'
import type { Report } from '../model/report.ts'

/** The document of the commands that change a graduation. */
export interface GraduationReport extends Report {
  /** Its name; null where there is none. */
  graduation: string | null
  /** How they left it. */
  state: GraduationState | 'none'
  /** Of this command: how long the application's writes were held. */
  pauses: Pause[]
}

/** How long writes were held, to a tenth of a millisecond. */
export function pauseOf({ kind, at, ms }: Pause): Pause {
  return { kind, at, ms: Math.round(ms * 10) / 10 }
}

export function blankGraduation(command: string): GraduationReport {
  return {
    command,
    ok: true,
    exitCode: 0,
    tables: [],
    findings: [],
    fixes: [],
    steps: [],
    notes: [],
    error: null,
    graduation: null,
    state: 'none',
    pauses: [],
  }
}
