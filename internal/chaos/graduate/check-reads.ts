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

/**
 * Never are both sides writable: operations that follow each other change sides at most as often as the authority did.
 */
export function checkSides(ledgers: Note[][], switches: number): string[] {
  const all: { on: 'sqlite' | 'postgres'; name: string; begunAt: number; endedAt: number }[] = []
  for (const [writer, ledger] of ledgers.entries()) {
    const tries = new Map<number, number>()
    for (const note of ledger) {
      if (note.is === 'try') tries.set(note.seq, note.at)
      if (note.is !== 'ack') continue
      const { on, seq, at: endedAt } = note
      all.push({ on, name: `${writer}/${seq}`, begunAt: tries.get(seq) ?? 0, endedAt })
    }
  }
  all.sort((a, b) => a.endedAt - b.endedAt)
  // The longest chain in which each was begun after the one before had ended, and on the other side.
  const chain: typeof all = []
  for (const one of all) {
    const last = chain.at(-1)
    if (last === undefined ? one.on === 'postgres' : one.on !== last.on && one.begunAt > last.endedAt)
      chain.push(one)
  }
  if (chain.length <= switches) return []
  const named = chain.map(({ name, on }) => `${name} on ${on}`).join(', ')
  return [`both sides were written to: ${named}, with ${switches} switches`]
}
