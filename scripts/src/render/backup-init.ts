import {
  summaryOf,
  type ArchiveCheck,
  type BackupSummary,
  type InitEmbeddedResult,
  type InitOwnServerResult,
  type Manifest,
} from '@outgrow/operations'
import type { Outcome } from '../output/outcome.ts'
import { size, type Terminal } from '../output/terminal.ts'
import { protectedBy } from './backup.ts'

export interface InitDocument extends Outcome, InitOwnServerResult, ArchiveCheck {
  /** The embedded one, or one's own. */
  server: 'embedded' | 'own' | null
  archive: string | null
  /** What the embedded server is set to. */
  settings: { name: string; value: string }[]
  base: BackupSummary | null
}

/** What Ctrl-C leaves of setting up the archive. */
export const stoppedInit = {
  why: 'A server that archives already goes on; without a base backup it cannot be restored to a time yet.',
  fix: 'Run it again.',
}

export const blankInit = {
  server: null,
  files: [],
  restart: [],
  notes: [],
  archive: null,
  settings: [],
  base: null,
  findings: [],
  facts: [],
  unknown: [],
}

export function printEmbedded(terminal: Terminal, result: InitEmbeddedResult): void {
  const { location, settings, restarts, base } = result
  if (base === undefined) {
    terminal.line(
      `Would archive the embedded server’s WAL to ${location}, and take a base backup. Its settings:`,
    )
    for (const { name, value } of settings) terminal.line(`  ${name} = ${value}`)
    if (restarts) terminal.line('The server would be restarted, which ends its connections; its URL stays.')
    return
  }
  terminal.line(
    `The embedded server archives its WAL to ${location}: each segment when it is full, or after a minute.`,
  )
  if (restarts) terminal.line('It was restarted; its URL is the same until it is stopped.')
  printBase(terminal, base)
  terminal.line(`Restore it to a time with outgrow restore --from ${location} --to <folder> --at <time>.`)
}

export function printBase(terminal: Terminal, { id, plainBytes, storedBytes, keyId }: Manifest): void {
  terminal.line(
    `Base backup ${terminal.style('bold', id)}: ${size(plainBytes)}, stored as ${size(storedBytes)}`,
  )
  terminal.line(`  ${protectedBy(keyId)}`)
}

export function printOwnServer(terminal: Terminal, result: InitOwnServerResult, isDry: boolean): void {
  const { files, restart, notes } = result
  terminal.line(isDry ? 'Would write:' : 'Written:')
  for (const file of files) terminal.line(`  ${file}`)
  for (const note of notes) terminal.line(`note: ${note}`)
  if (restart.length > 0)
    terminal.line(`${restart.join(', ')} ${restart.length === 1 ? 'needs' : 'need'} a restart of the server.`)
  terminal.line('The server was only read. Next: the commands of RUNBOOK.md, under Install.')
}

export function printCheck(terminal: Terminal, { findings, facts, unknown }: ArchiveCheck): void {
  for (const fact of facts) terminal.line(`${terminal.style('green', 'ok')}  ${fact}`)
  for (const text of unknown) terminal.line(`${terminal.style('yellow', 'unknown')}  ${text}`)
  for (const { code, message, fix } of findings) {
    terminal.line(`${terminal.style('red', code)}  ${message}`)
    terminal.line(`  fix: ${fix}`)
  }
}

export function shownBase(base: Manifest | undefined): BackupSummary | null {
  return base === undefined ? null : summaryOf(base)
}
