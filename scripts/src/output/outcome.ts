import { exit } from '@outgrow/kit'
import type { ErrorReport, Report } from '@outgrow/graduate'

/** What a command leaves behind: the JSON document, whose exitCode is the process' own. */
export interface Outcome {
  command: string
  ok: boolean
  exitCode: number
  error: ErrorReport | null
}

/** The document of a command that ran to its end. Where not everything is as it should be, `ok` is false, and it exits with 4. */
export function outcome<Fields extends object>(command: string, fields: Fields, ok = true): Outcome & Fields {
  return { command, ok, exitCode: ok ? exit.done : exit.findings, ...fields, error: null }
}

/** The report of a command of the move that has nothing to tell. */
export function blankReport(command: string): Omit<Report, keyof Outcome> & { command: string } {
  return { command, tables: [], findings: [], fixes: [], steps: [], notes: [] }
}
