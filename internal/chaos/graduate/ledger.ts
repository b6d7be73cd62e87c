import { existsSync, openSync, readFileSync, writeSync } from 'node:fs'

type Provider = 'sqlite' | 'postgres'

/** What a writer notes, in the order in which it happened. Times are in ms of the machine's steady clock. */
export type Note =
  | { is: 'start'; at: number }
  /** The transaction begins. */
  | { is: 'try'; seq: number; at: number }
  /** It is committed, and the writer knows. */
  | { is: 'ack'; seq: number; at: number; on: Provider; drawn: number | null }
  /** The database refused it, and nothing of it may be there. */
  | { is: 'refused'; seq: number; error: string }
  /** The answer to its COMMIT was lost. */
  | { is: 'unknown'; seq: number; error: string }
  | { is: 'moved'; at: number; from: Provider }
  | { is: 'failed'; error: string }
  | { is: 'end'; at: number }

/** What a reader saw in one transaction. */
export interface Seen {
  on: Provider
  begunAt: number
  endedAt: number
  balance: number
  counters: Record<string, number>
  /** By writer, the newest operation. */
  newest: Record<string, number>
  /** Owners whose rows were seen in the middle of one statement. */
  torn: number
  /** Rows that point nowhere. */
  orphans: number
}

/** ms of a clock that all processes of the machine share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Appends lines to a file, which outlast the process when it is killed. */
export function openLedger(path: string): (entry: Note | Seen | { failed: string }) => void {
  const file = openSync(path, 'a')
  return (entry) => {
    writeSync(file, `${JSON.stringify(entry)}\n`)
  }
}

/** A last line that was cut off is none. */
export function readLedger<Entry>(path: string): Entry[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  lines.pop()
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Entry)
}
