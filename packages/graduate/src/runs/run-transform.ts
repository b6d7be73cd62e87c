import { exit } from '@outgrow/kit'
import { transformSnapshot } from '../flows/transform.ts'
import type { Progress } from '../model/progress.ts'
import type { Report } from '../model/report.ts'
import { withPostgresForChecks } from '../trial/postgres-for-checks.ts'
import { mustStop } from '../steps/step.ts'
import type { RunSettings } from './run-settings.ts'

export interface TransformRun extends Omit<RunSettings, 'from'> {
  /** Folder that `export` wrote. */
  directory: string
  /** The Postgres that the files are meant for; without one, the embedded one checks them. */
  to: string | undefined
  progress: Progress
}

/** Turns an export into files that Postgres can load. */
export async function runTransform({ to, workDir, readSchema, ...request }: TransformRun): Promise<Report> {
  const started = performance.now()
  const schema = readSchema()
  const { transformed } = await withPostgresForChecks({ to, workDir }, (at) =>
    transformSnapshot({ ...request, at, schema }),
  )
  const { tables, findings, fixes } = transformed as NonNullable<typeof transformed>
  const isStopped = mustStop(findings, request.options)
  return {
    command: 'transform',
    ok: !isStopped,
    exitCode: isStopped ? exit.expected : findings.length > 0 ? exit.findings : exit.done,
    tables: tables.map(({ table, rows, rowsRead }) => ({
      table,
      sourceRows: rowsRead,
      targetRows: 0,
      quarantinedRows: rowsRead - rows,
      digestMatch: false,
    })),
    findings,
    fixes,
    steps: [
      {
        name: 'transform',
        ms: Math.round(performance.now() - started),
        rows: tables.reduce((sum, { rows }) => sum + rows, 0),
        bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
      },
    ],
    notes: [],
    error: isStopped
      ? {
          code: 'OUTGROW_BAD_VALUES',
          message: 'The export contains values that cannot be moved as they are.',
          why: null,
          fix: 'Name the rules that apply with --fix, or quarantine the rows with --on-bad-value quarantine.',
        }
      : null,
  }
}
