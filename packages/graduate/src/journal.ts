import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { join } from 'node:path'
import { isProcessAlive } from './process-alive.ts'
import type { ProgressEvent } from './model/progress.ts'
import type { Report } from './model/report.ts'

/** What one run of a command did, as it is shown while it runs and afterwards. */
export interface RunJournal {
  id: string
  command: string
  /** The file, and the target without its password. */
  from: string
  to: string | null
  pid: number
  /** ISO 8601. */
  startedAt: string
  updatedAt: string
  /** `lost`: the process is gone and said nothing. */
  state: 'running' | 'done' | 'failed' | 'stopped' | 'lost'
  step: { at: number; of: number; title: string } | null
  progress: Omit<ProgressEvent, 'step'> | null
  report: Report | null
  /** What ended it, in words. */
  error: string | null
}

const keptRuns = 50
/** A file is written anew at most this often while rows move. */
const everyMs = 250

/** Writes one run's journal, a small file that is replaced whole. Never throws. */
export class JournalWriter {
  readonly #path: string
  readonly #journal: RunJournal
  #writtenAt = 0

  /** @param directory folder of the journals, made where it is missing */
  constructor(directory: string, { command, from, to }: Pick<RunJournal, 'command' | 'from' | 'to'>) {
    const startedAt = new Date().toISOString()
    const id = `${startedAt.replaceAll(/[:.]/g, '-')}-${randomUUID().slice(0, 8)}`
    this.#path = join(directory, `${id}.json`)
    this.#journal = {
      id,
      command,
      from,
      to,
      pid: process.pid,
      startedAt,
      updatedAt: startedAt,
      state: 'running',
      step: null,
      progress: null,
      report: null,
      error: null,
    }
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      for (const name of journalNames(directory).slice(keptRuns - 1))
        rmSync(join(directory, name), { force: true })
    } catch {} // as below
    this.#write()
  }

  step(title: string, at: number, of: number): void {
    this.#journal.step = { title, at, of }
    this.#write()
  }

  progress({ rows, bytes, totalRows }: ProgressEvent): void {
    this.#journal.progress = { rows, bytes, totalRows }
    if (performance.now() - this.#writtenAt >= everyMs) this.#write()
  }

  end(state: 'done' | 'failed' | 'stopped', report: Report | null, error: string | null): void {
    Object.assign(this.#journal, { state, report, error })
    this.#write()
  }

  #write(): void {
    this.#journal.updatedAt = new Date().toISOString()
    this.#writtenAt = performance.now()
    try {
      // Renamed into place: whoever reads sees one state or the other. Findings hold values: for the owner's eyes only.
      writeFileSync(`${this.#path}.part`, JSON.stringify(this.#journal), { mode: 0o600 })
      renameSync(`${this.#path}.part`, this.#path)
    } catch {
      // A journal that cannot be written must not end the run that it tells of.
    }
  }
}

/** The journals of a folder, the newest first. */
export function readJournals(directory: string): RunJournal[] {
  return journalNames(directory).flatMap((name) => {
    try {
      const journal = JSON.parse(readFileSync(join(directory, name), 'utf8')) as RunJournal
      if (!isJournal(journal)) return []
      return [
        journal.state === 'running' && !isAlive(journal) ? { ...journal, state: 'lost' as const } : journal,
      ]
    } catch {
      return [] // no journal, or removed meanwhile
    }
  })
}

function journalNames(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .toReversed()
}

function isJournal(journal: Partial<RunJournal> | null): journal is RunJournal {
  const texts = [journal?.id, journal?.command, journal?.from, journal?.startedAt, journal?.updatedAt]
  return texts.every((text) => typeof text === 'string') && typeof journal?.pid === 'number'
}

function isAlive({ pid, updatedAt }: RunJournal): boolean {
  // Since then the machine was started anew, and the number may be another process'.
  if (Date.parse(updatedAt) < Date.now() - uptime() * 1000) return false
  return isProcessAlive(pid)
}
