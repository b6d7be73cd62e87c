import { openSqliteReadonly } from '@outgrow/databases'
import { exit } from '@outgrow/kit'
import { inspectSource, type Inspection } from '../flows/inspect.ts'
import type { Progress } from '../model/progress.ts'
import type { Report } from '../model/report.ts'
import { withPostgresForChecks } from '../trial/postgres-for-checks.ts'
import type { RunSettings } from './run-settings.ts'
import { withJournal } from './with-journal.ts'

/** The document of an inspection. */
export type InspectReport = Report & { source: Omit<Inspection, 'tables' | 'findings' | 'fixes'> }

export interface InspectRun extends RunSettings {
  /** The Postgres that is to be moved to; without one, the embedded one. */
  to: string | undefined
  progress: Progress
}

/** Inspects a file, with a journal, against the Postgres that was named or the embedded one. Changes nothing. */
export async function runInspect(request: InspectRun): Promise<InspectReport> {
  const { from, workDir, signal } = request
  const { report } = await withJournal({ workDir, command: 'inspect', from, signal }, async (journal) => {
    const started = performance.now()
    openSqliteReadonly(from).close() // said before a server is started for it
    const schema = request.readSchema()
    const inspection = await withPostgresForChecks(request, (at) =>
      inspectSource({
        from,
        at,
        schema,
        options: request.options,
        signal,
        progress: (event) => {
          journal?.progress(event)
          request.progress(event)
        },
      }),
    )
    return { report: reportOf(inspection, performance.now() - started) }
  })
  return report
}

function reportOf({ tables, findings, fixes, ...source }: Inspection, ms: number): InspectReport {
  const rows = tables.reduce((sum, { sourceRows }) => sum + sourceRows, 0)
  const ok = findings.length === 0
  return {
    command: 'inspect',
    ok,
    exitCode: ok ? exit.done : exit.findings,
    tables,
    findings,
    fixes,
    steps: [{ name: 'inspect', ms: Math.round(ms), rows, bytes: source.sizeBytes }],
    notes: source.notes,
    source,
    error: null,
  }
}
