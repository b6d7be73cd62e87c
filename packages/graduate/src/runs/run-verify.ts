import { exit } from '@outgrow/kit'
import { verify, type Verification } from '../flows/verify.ts'
import type { Progress } from '../model/progress.ts'
import type { Report } from '../model/report.ts'
import type { RunSettings } from './run-settings.ts'
import { withJournal } from './with-journal.ts'

export interface VerifyRun extends RunSettings {
  to: string
  /** Every row comes back and is hashed here. */
  readsBack?: boolean | undefined
  progress: Progress
}

export interface Verified extends Pick<Verification, 'notes' | 'ms'> {
  report: Report
}

/** Compares both databases, with a journal. */
export function runVerify({ workDir, readSchema, ...request }: VerifyRun): Promise<Verified> {
  const { from, to, signal } = request
  return withJournal({ workDir, command: 'verify', from, to, signal }, async () => {
    const { tables, findings, notes, ms } = await verify({ ...request, schema: readSchema() })
    const rows = tables.reduce((sum, { sourceRows }) => sum + sourceRows, 0)
    const ok = tables.every(({ digestMatch }) => digestMatch) && findings.length === 0
    const report = {
      command: 'verify',
      ok,
      exitCode: ok ? exit.done : exit.findings,
      tables,
      findings,
      fixes: [],
      steps: [{ name: 'verify', ms: Math.round(ms), rows, bytes: 0 }],
      notes,
      error: null,
    }
    return { report, notes, ms }
  })
}
