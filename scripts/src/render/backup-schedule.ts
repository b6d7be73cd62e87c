import { assertNever } from '@outgrow/kit'
import {
  summaryOf,
  type ScheduledWork,
  type ScheduleRequest,
  type Storage,
  type Work,
} from '@outgrow/operations'
import { outcome } from '../output/outcome.ts'
import { duration, type Terminal } from '../output/terminal.ts'
import { printBackup } from './backup.ts'
import { printDrill, printPrune } from './backups.ts'

/** Prints what a schedule did, as text, or as a document on a line of its own. */
export function printScheduled(
  terminal: Terminal,
  storage: Storage,
  asJson: boolean,
): (done: ScheduledWork) => void {
  return (done) => {
    switch (done.is) {
      case 'backup': {
        const { manifest } = done
        if (!asJson) return printBackup(terminal, manifest, storage)
        return printLine(outcome('backup', { backup: summaryOf(manifest) }, manifest.damage.length === 0))
      }
      case 'prune': {
        const { pruned } = done
        if (asJson) return printLine(outcome('backup prune', pruned))
        if (pruned.remove.length > 0) printPrune(terminal, pruned, false)
        return
      }
      case 'drill':
        if (asJson) return printLine(outcome('backup drill', { drill: done.drill }, done.drill.ok))
        return printDrill(terminal, done.drill)
      default:
        assertNever(done)
    }
  }
}

export function printScheduleFailure(terminal: Terminal, asJson: boolean): ScheduleRequest['onFailure'] {
  return ({ code, message, why = null, fix = null }, retryMs, of) => {
    if (asJson)
      return printLine({
        command: of === 'backup' ? 'backup' : `backup ${of}`,
        ok: false,
        error: { code, message, why, fix },
        retryMs,
      })
    terminal.line(`${terminal.style('red', code)}  ${message}`)
    if (fix !== null) terminal.line(`  fix: ${fix}`)
    terminal.line(`  The next attempt is in ${duration(retryMs)}.`)
  }
}

export function printDue(terminal: Terminal, due: Work): void {
  terminal.line(due.is === 'wait' ? `Nothing is due for ${duration(due.ms)}.` : `A ${due.is} is due now.`)
}

function printLine(document: object): void {
  process.stdout.write(`${JSON.stringify(document)}\n`)
}
