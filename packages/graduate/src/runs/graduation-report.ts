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
