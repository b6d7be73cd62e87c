import { relative } from 'node:path'
import { seriousFirst, type Examination, type Level } from '@outgrow/signs'
import { textTable, type Terminal } from '../output/terminal.ts'

const colors = { fine: 'green', watch: 'yellow', plan: 'magenta', graduate: 'red', unknown: 'gray' } as const

const words: Record<Level, string> = {
  fine: 'fine',
  watch: 'watch',
  plan: 'plan',
  graduate: 'graduate now',
  unknown: 'unknown',
}

function shownPath(identity: string): string {
  return relative(process.cwd(), identity.replace(/^file:/, ''))
}

/** An examination as people read it: every sign in a line, then what to do about those that are not fine. */
export function printExamination(
  terminal: Terminal,
  { provider, database, verdict, signs, unknown, managedBy }: Examination,
): void {
  const level = (one: Level) => terminal.style(colors[one], words[one])
  terminal.line(provider === 'sqlite' ? `SQLite  ${shownPath(database)}` : `Postgres  ${database}`)
  if (managedBy) terminal.line(`${managedBy.title}  ${managedBy.hosts.join('  ')}`.trimEnd())
  const rows = textTable(
    ['sign', 'level', 'seen'],
    signs.map((sign) => [sign.title, words[sign.level], sign.text]),
  )
  for (const row of rows) terminal.line(`  ${row}`)
  for (const sign of seriousFirst(signs)) {
    terminal.line(`${level(sign.level)}  ${sign.title}: ${sign.text}`)
    terminal.line(`    from  ${sign.threshold.source}`)
    terminal.line(`    do    ${sign.advice}`)
  }
  for (const { text, source } of managedBy?.notes ?? []) terminal.line(`note  ${text}  ${source}`)
  const resting =
    unknown.length === 0 ? '' : ` (based on what was measured; not measured: ${unknown.join(', ')})`
  terminal.line(`${terminal.style('bold', 'Verdict')}: ${level(verdict)}${resting}`)
}

/** Prints the newest examination, in place of the one before where the screen can be cleared. */
export function printWatched(terminal: Terminal): (examination: Examination) => void {
  return (examination) => {
    if (process.stdout.isTTY) process.stdout.write('\u001B[2J\u001B[H')
    terminal.line(examination.at)
    printExamination(terminal, examination)
  }
}
