import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { messageOf, redactUrl } from '@outgrow/kit'
import { JournalWriter } from '../journal.ts'
import type { Report } from '../model/report.ts'

interface JournalRequest {
  workDir: string
  command: string
  from: string
  to?: string
  signal: AbortSignal
}

/**
 * Does the work of a run with a journal in the work folder, where the console reads it. Where there is no such folder, the
 * commands that only look make none.
 */
export async function withJournal<Result extends { report: Report }>(
  { workDir, command, from, to, signal }: JournalRequest,
  work: (journal: JournalWriter | undefined) => Promise<Result>,
): Promise<Result> {
  const folder = resolve(workDir)
  const keeps = existsSync(folder) || command === 'migrate' || command === 'import'
  const journal = keeps
    ? new JournalWriter(join(folder, 'runs'), { command, from, to: to === undefined ? null : redactUrl(to) })
    : undefined
  try {
    const result = await work(journal)
    const { report } = result
    journal?.end(report.error === null ? 'done' : 'failed', report, report.error?.message ?? null)
    return result
  } catch (error) {
    journal?.end(signal.aborted ? 'stopped' : 'failed', null, messageOf(error))
    throw error
  }
}
