import { relative } from 'node:path'
import { assertNever, redactUrl } from '@outgrow/kit'
import type { Moved, MoveListener, Report, Switching } from '@outgrow/graduate'
import { count, duration, size, type Terminal } from '../output/terminal.ts'
import { printFindings, printFixes, printTables } from './findings.ts'
import { copyProgress } from './progress.ts'

/** Says into which new database a move goes, where none was named. */
export function printTarget(terminal: Terminal, name: string, workDir: string): void {
  terminal.line(
    `No --to given: moving into ${name}, a new database of the embedded PostgreSQL in ${workDir}/postgres. It keeps running; \`outgrow postgres\` can list, drop and stop it.`,
  )
}

/** @param runs the names of those that were undone */
export function printUndone(terminal: Terminal, runs: string[]): void {
  terminal.line(
    runs.length === 0
      ? 'There is no unfinished run in the target.'
      : `Undid ${runs.join(', ')}. The target is as it was before.`,
  )
}

/** Prints a move while it happens. `done` ends what is shown of it, however it ended. */
export function moveListener(terminal: Terminal): MoveListener & { done: () => void } {
  const done = terminal.busy('Preparing the schema and the target')
  return {
    onNote: (text) => terminal.line(text),
    onStep: (title, at, of) => {
      done()
      terminal.line(`${terminal.style('bold', `STEP ${at} of ${of}`)}  ${title}`)
    },
    progress: copyProgress(terminal),
    onStopped: (report) => printStopped(terminal, report),
    onCompared: (moved) => printMoved(terminal, moved),
    onQuarantined: (file) =>
      terminal.line(
        `Quarantined rows are in the target’s table _outgrow_quarantine and in ${relative(process.cwd(), file)}.`,
      ),
    onSwitch: (switching) => {
      for (const line of switchLines(switching)) terminal.line(line)
    },
    done,
  }
}

function printStopped(terminal: Terminal, { findings, error }: Report): void {
  terminal.line()
  printFindings(terminal, findings)
  if (error === null) return
  terminal.line(`${terminal.style('red', error.code)}  ${error.message}`)
  terminal.line(`  fix: ${error.fix}`)
}

function printMoved(terminal: Terminal, { tables, notes, fixes, findings, steps, isEqual, ms }: Moved): void {
  const rows = tables.reduce((sum, { targetRows }) => sum + targetRows, 0)
  const bytes = steps.reduce((sum, step) => sum + step.bytes, 0)
  terminal.line()
  printTables(terminal, tables)
  for (const note of notes) terminal.line(note)
  printFixes(terminal, fixes)
  printFindings(terminal, findings)
  terminal.line()
  terminal.line(
    isEqual
      ? `${terminal.style('green', 'Verified')}: ${count(rows)} rows in ${tables.length} tables${bytes > 0 ? `, ${size(bytes)}` : ''}, ${duration(ms)}. Every digest is equal.`
      : `${terminal.style('red', 'Different')}: see the findings above.`,
  )
}

function switchLines(switching: Switching): string[] {
  switch (switching.state) {
    case 'not asked for':
      return switching.isAdvised ? [`Point DATABASE_URL at ${redactUrl(switching.to)} to switch.`] : []
    case 'done':
      return [switching.done, ...switching.checklist]
    case 'refused': {
      const accept = switching.isQuarantined ? ', or pass --accept-quarantine' : ''
      return [`${switching.file} was not changed: see the findings${accept}.`]
    }
    default:
      return assertNever(switching)
  }
}
