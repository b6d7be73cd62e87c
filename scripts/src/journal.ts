import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { JournalWriter, type Report } from '@outgrow/graduate'
import { messageOf, redactUrl } from '@outgrow/kit'

interface JournalRequest {
  workDir: string
  command: string
  from: string
  to?: string
  signal: AbortSignal
}

/**
 * Runs a command with a journal in the work folder, where the console reads it. Where there is no such folder, the
 * commands that only look make none.
 */
export async function withJournal<Document extends Report>(
  { workDir, command, from, to, signal }: JournalRequest,
  work: (journal: JournalWriter | undefined) => Promise<Document>,
): Promise<Document> {
  const folder = resolve(workDir)
  const keeps = existsSync(folder) || command === 'migrate' || command === 'import'
  const journal = keeps
    ? new JournalWriter(join(folder, 'runs'), { command, from, to: to === undefined ? null : redactUrl(to) })
    : undefined
  try {
    const report = await work(journal)
    journal?.end(report.error === null ? 'done' : 'failed', report, report.error?.message ?? null)
    return report
  } catch (error) {
    journal?.end(signal.aborted ? 'stopped' : 'failed', null, messageOf(error))
    throw error
  }
}
