import type { Note, Seen } from './ledger.ts'
import { operationOf } from './operations.ts'
import { accounts, balanceAtStart, counters } from './schema.ts'

/** What readers saw that was never so, or was not so any more when they asked. */
export function checkReads(
  seed: number,
  readers: (Seen | { failed: string })[][],
  ledgers: Note[][],
): string[] {
  const wrong: string[] = []
  const known = acknowledgedValues(seed, ledgers)
  for (const [reader, entries] of readers.entries()) {
    const before = new Map<string, number>()
    for (const seen of entries) {
      if ('failed' in seen) {
        wrong.push(`reader ${reader}: ${seen.failed}`)
        continue
      }
      const { on, begunAt, balance, torn, orphans } = seen
      if (balance !== accounts * balanceAtStart)
        wrong.push(`reader ${reader} saw a sum of ${balance} on ${on}`)
      if (torn > 0) wrong.push(`reader ${reader} saw half a statement on ${on}`)
      if (orphans > 0) wrong.push(`reader ${reader} saw ${orphans} parts without their item on ${on}`)
      for (const [name, value] of valuesOf(seen)) {
        const acknowledged = known.get(name)?.latest(begunAt) ?? 0
        if (value < acknowledged)
          wrong.push(
            `reader ${reader} saw ${name} at ${value} on ${on}, after ${acknowledged} was acknowledged`,
          )
        if (value < (before.get(name) ?? 0))
          wrong.push(`reader ${reader} saw ${name} go back from ${before.get(name)} to ${value} on ${on}`)
        before.set(name, value)
      }
    }
  }
  return wrong
}

function* valuesOf({ counters, newest }: Seen): Generator<[string, number]> {
  for (const [name, value] of Object.entries(counters)) yield [`counter ${name}`, value]
  for (const [writer, seq] of Object.entries(newest)) yield [`writer ${writer}`, seq]
}

/** What only grows: its highest acknowledged value by time. */
class Growing {
  readonly #times: number[] = []
  readonly #values: number[] = []

  constructor(all: { at: number; value: number }[]) {
    let highest = 0
    for (const { at, value } of all.toSorted((a, b) => a.at - b.at)) {
      highest = Math.max(highest, value)
      this.#times.push(at)
      this.#values.push(highest)
    }
  }

  /** As it was known by then. */
  latest(at: number): number {
    let [low, high] = [0, this.#times.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#times[middle] as number) <= at) low = middle + 1
      else high = middle
    }
    return this.#values[low - 1] ?? 0
  }
}

function acknowledgedValues(seed: number, ledgers: Note[][]): Map<string, Growing> {
  const all = new Map<string, { at: number; value: number }[]>(
    counters.map((name) => [`counter ${name}`, []]),
  )
  for (const [writer, ledger] of ledgers.entries()) {
    const own: { at: number; value: number }[] = []
    for (const note of ledger) {
      if (note.is !== 'ack') continue
      own.push({ at: note.at, value: note.seq })
      const operation = operationOf(seed, writer, note.seq)
      if (operation.kind === 'count')
        all.get(`counter ${operation.counter}`)?.push({ at: note.at, value: note.drawn ?? 0 })
    }
    all.set(`writer ${writer}`, own)
  }
  return new Map([...all].map(([name, values]) => [name, new Growing(values)]))
}

/** Never are both sides writable: what SQLite acknowledged was begun before Postgres acknowledged anything. */
export function checkSides(ledgers: Note[][]): string[] {
  const tries = new Map<string, number>()
  const acknowledged = { sqlite: [] as { name: string; begunAt: number }[], postgres: [] as number[] }
  for (const [writer, ledger] of ledgers.entries()) {
    for (const note of ledger) {
      if (note.is === 'try') tries.set(`${writer}/${note.seq}`, note.at)
      if (note.is !== 'ack') continue
      const name = `${writer}/${note.seq}`
      if (note.on === 'sqlite') acknowledged.sqlite.push({ name, begunAt: tries.get(name) ?? 0 })
      else acknowledged.postgres.push(note.at)
    }
  }
  const first = Math.min(...acknowledged.postgres)
  return acknowledged.sqlite
    .filter(({ begunAt }) => begunAt > first)
    .map(
      ({ name }) => `operation ${name} was begun and acknowledged on SQLite after Postgres had acknowledged`,
    )
}
