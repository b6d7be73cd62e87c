import { redactUrl } from '@outgrow/kit'
import type { GraduateListener, GraduateRun, GraduationReport, GraduationStatus } from '@outgrow/graduate'
import { count, duration, textTable, type Terminal } from '../output/terminal.ts'
import { printFindings, printFixes, printTables } from './findings.ts'
import { copyProgress } from './progress.ts'

/** Prints a graduation while it happens. `done` ends what is shown of it, however it ended. */
export function graduateListener(
  terminal: Terminal,
  { to }: Pick<GraduateRun, 'to'>,
): GraduateListener & { done: () => void } {
  const done = terminal.busy('Preparing the schema and the target')
  return {
    onStep: (title, at, of) => {
      done()
      terminal.line(`${terminal.style('bold', `STEP ${at} of ${of}`)}  ${title}`)
    },
    progress: copyProgress(terminal),
    onLag: lagProgress(terminal),
    onReached: ({ tables, fixes, findings, notes }) => {
      printTables(terminal, tables)
      for (const note of notes) terminal.line(note)
      printFixes(terminal, fixes)
      printFindings(terminal, findings)
    },
    onVerified: ({ verified, findings }) => {
      done()
      terminal.line(
        verified.isEqual
          ? `${terminal.style('green', 'Verified')} at change ${count(verified.position)}: ${count(verified.rows)} rows are equal on both sides (${duration(verified.ms)}).`
          : `${terminal.style('red', 'Different')} at change ${count(verified.position)}:`,
      )
      printFindings(terminal, findings)
    },
    onWaiting: (reason) => terminal.line(`Following. Waiting for ${reason}`),
    onHeld: ({ kind, ms, keys }) => {
      if (kind === 'rehearsal')
        terminal.line(
          `Rehearsed: writes were held for ${ms.toFixed(1)} ms, ${count(keys)} rows applied meanwhile.`,
        )
    },
    onSwitched: ({ ms }, findings, notes) => {
      terminal.line(
        `${terminal.style('green', 'Switched')}: writes were held for ${ms.toFixed(1)} ms. The rows are in ${redactUrl(to)} now.`,
      )
      printFindings(terminal, findings)
      for (const note of notes) terminal.line(note)
      terminal.line('The way back is open: outgrow graduate rollback. To end it: outgrow graduate complete.')
    },
    onCommand: ({ command, code, ms }) =>
      terminal.line(
        code === 0
          ? `Ran ${command} (${duration(ms)}).`
          : `${terminal.style('red', 'The command failed')}: ${command}`,
      ),
    onNote: (text) => terminal.line(text),
    onLost: (reason) => terminal.line(`${reason} Trying again.`),
    onAgain: (reason) => terminal.line(`${reason} The copy begins again.`),
    done,
  }
}

/** What Ctrl-C leaves of a graduation. */
export const stoppedGraduation = {
  why: 'The application goes on, and its changes stay captured.',
  fix: 'Run the same command again to go on, or take the graduation back with outgrow graduate cancel.',
}

/** Says how a graduation stands that had nothing more to do. */
export function printGraduated(terminal: Terminal, { state, pauses, notes }: GraduationReport): void {
  for (const note of notes.filter((one) => one.startsWith('The switch stands'))) terminal.line(note)
  if (pauses.length > 0) return
  if (state === 'switched')
    terminal.line(
      'The rows are in Postgres already. Back: outgrow graduate rollback. To end the way back: outgrow graduate complete.',
    )
  if (state === 'completed') terminal.line('This graduation is complete: the rows are in Postgres, for good.')
}

/** Shows how many changes wait to be applied. */
export function lagProgress(terminal: Terminal): (entries: number) => void {
  return (entries) => terminal.progress(() => `${count(entries)} changes to apply`)
}

/** Says how long writes were held, and what else there is to know. */
export function printPauses(terminal: Terminal, { pauses, findings, notes }: GraduationReport): void {
  for (const { kind, ms } of pauses)
    terminal.line(
      `${kind === 'rollback' ? 'Went back' : 'Switched'}: writes were held for ${ms.toFixed(1)} ms.`,
    )
  printFindings(terminal, findings)
  for (const note of notes) terminal.line(note)
}

/** Prints where a graduation stands. */
export function printGraduationStatus(terminal: Terminal, status: GraduationStatus): void {
  const { name, state, side, since, follower, lag, room, verified, pauses, processes, obstacles } = status
  if (name === null) {
    terminal.line('No graduation of this file is under way.')
    return
  }
  terminal.line(`${terminal.style('bold', state)}  graduation ${name}, since ${since}`)
  terminal.line(`  rows are in  ${side === 'sqlite' ? 'the SQLite file' : 'Postgres'}`)
  terminal.line(`  follower     ${follower ?? nobody(state)}`)
  if (lag)
    terminal.line(
      `  lag          ${count(lag.entries)} changes${lag.seconds ? `, for ${lag.seconds} s at most` : ''}${room === null ? '' : `, room for ${count(room)}`}`,
    )
  if (verified)
    terminal.line(
      `  compared     ${verified.at}, ${count(verified.rows)} rows ${verified.isEqual ? 'equal' : 'NOT EQUAL'}, ${duration(verified.ms)}`,
    )
  for (const { kind, at, ms } of pauses.slice(-5)) terminal.line(`  ${kind.padEnd(11)}  ${at}, ${ms} ms`)
  const rows = processes.map((one) => [
    one.name,
    one.pid,
    one.host,
    one.isSilent ? `silent since ${one.seenAt}` : one.reaches ? 'yes' : (one.problem ?? 'not yet'),
  ])
  if (rows.length > 0)
    for (const line of textTable(['process', 'pid', 'host', 'reaches Postgres'], rows))
      terminal.line(`  ${line}`)
  for (const obstacle of obstacles) terminal.line(`${terminal.style('yellow', 'in the way')}  ${obstacle}`)
}

/** What to do where no process works on it. */
function nobody(state: GraduationStatus['state']): string {
  if (state === 'completed') return 'none: nothing is left to do'
  if (state === 'switched')
    return 'none: outgrow graduate rollback goes back, outgrow graduate complete ends it'
  return 'none: run outgrow graduate to go on'
}
