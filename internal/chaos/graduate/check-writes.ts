import { itemText, personText, replay, startingState, type State, type WriterState } from './replay.ts'
import type { Note } from './ledger.ts'
import { operationOf } from './operations.ts'
import type { Rows } from './rows.ts'
import { counters } from './schema.ts'

export interface CheckedWrites {
  acknowledged: number
  wrong: string[]
}

/**
 * Compares what is in the database with what the writers noted: every acknowledged operation is there exactly once, any
 * other whole or not at all, and together they make exactly these rows.
 * @param allowsGone whether a way back died, and left the tables on neither side until it was finished
 */
export function checkWrites(
  { seed, allowsGone }: { seed: number; allowsGone: boolean },
  ledgers: Note[][],
  rows: Rows,
): CheckedWrites {
  const wrong: string[] = []
  let acknowledged = 0
  const committed = committedOf(rows, ledgers.length)
  const state = startingState(ledgers.length)
  for (const [writer, ledger] of ledgers.entries()) {
    const own = committed[writer] as Map<number, number | null>
    const tried = new Set(ledger.flatMap((note) => (note.is === 'try' ? [note.seq] : [])))
    for (const note of ledger) {
      if (note.is === 'failed') wrong.push(`writer ${writer}: ${note.error}`)
      if (note.is === 'refused' && !allowsGone && /does not exist|_outgrow_moved/.test(note.error))
        wrong.push(`writer ${writer} found its tables on neither side: ${note.error}`)
      if (note.is === 'refused' && own.has(note.seq))
        wrong.push(`operation ${writer}/${note.seq} was refused (${note.error}) and is there`)
      if (note.is !== 'ack') continue
      acknowledged++
      const found = own.get(note.seq)
      if (found === undefined)
        wrong.push(`operation ${writer}/${note.seq} was acknowledged on ${note.on} and is lost`)
      else if (found !== note.drawn)
        wrong.push(`operation ${writer}/${note.seq} drew ${note.drawn} and has ${found}`)
    }
    for (const seq of [...own.keys()].toSorted((a, b) => a - b)) {
      if (!tried.has(seq)) wrong.push(`operation ${writer}/${seq} is there and was never tried`)
      try {
        replay(state, writer, seq, operationOf(seed, writer, seq))
      } catch (error) {
        wrong.push(`operation ${writer}/${seq} cannot have happened: ${String(error)}`)
      }
    }
  }
  wrong.push(...stateDifferences(state, stateOf(rows, ledgers.length)))
  wrong.push(...wrongCounters(seed, committed, state))
  return { acknowledged, wrong }
}

function committedOf(rows: Rows, writers: number): Map<number, number | null>[] {
  const all = Array.from({ length: writers }, () => new Map<number, number | null>())
  for (const { writer, seq, detail } of rows.get('op') ?? [])
    all[Number(writer)]?.set(Number(seq), detail == null ? null : Number(detail))
  return all
}

/** Read-modify-write: no two have read the same number. */
function wrongCounters(seed: number, committed: Map<number, number | null>[], state: State): string[] {
  const wrong: string[] = []
  for (const name of counters) {
    const drawn = committed.flatMap((own, writer) =>
      [...own].flatMap(([seq, detail]) => {
        const operation = operationOf(seed, writer, seq)
        return operation.kind === 'count' && operation.counter === name ? [detail ?? 0] : []
      }),
    )
    const isWhole = drawn.toSorted((a, b) => a - b).every((value, at) => value === at + 1)
    if (!isWhole)
      wrong.push(
        `counter ${name}: ${drawn.length} increments drew other numbers than 1 to ${state.counts.get(name)}`,
      )
  }
  return wrong
}

/** The rows as the application means them. */
function stateOf(rows: Rows, writers: number): State {
  const all = (name: string) => rows.get(name) ?? []
  const states: WriterState[] = Array.from({ length: writers }, (_, writer) => {
    const mine = all('item').filter(({ owner }) => Number(owner) === writer)
    const rounds = new Set(
      all('bulk')
        .filter(({ owner }) => Number(owner) === writer)
        .map(({ round }) => round),
    )
    const events = new Map<number, number>()
    for (const { writer: by, seq } of all('event'))
      if (Number(by) === writer) events.set(Number(seq), (events.get(Number(seq)) ?? 0) + 1)
    return {
      items: new Map(
        mine.map((row) => [
          String(row.code).toLowerCase(),
          {
            code: String(row.code),
            rank: Number(row.rank),
            values: itemText({
              data: row.data ?? null,
              price: row.price ?? null,
              body: row.body ?? null,
              note: row.note ?? null,
              score: row.score == null ? null : Number(row.score),
            }),
            parts: new Map(
              all('part')
                .filter(({ item_id }) => item_id === row.id)
                .map(({ no, quantity }) => [Number(no), Number(quantity)]),
            ),
            tags: new Set(
              all('item_tag')
                .filter(({ item_id }) => item_id === row.id)
                .map(({ tag }) => String(tag)),
            ),
          },
        ]),
      ),
      tags: new Set(
        all('tag')
          .filter(({ owner }) => Number(owner) === writer)
          .map(({ name }) => String(name)),
      ),
      round: rounds.size === 1 ? Number([...rounds][0]) : Number.NaN,
      events,
      people: new Map(
        all('people')
          .filter(({ email }) => email?.endsWith(`@${writer}.example`))
          .map((row) => [
            String(row.email),
            {
              values: personText(row.name ?? null, row.preferences ?? null),
              invitedBy: all('people').find(({ id }) => id === row.invited_by_id)?.email ?? null,
            },
          ]),
      ),
    }
  })
  return {
    balances: new Map(all('account').map(({ id, balance }) => [Number(id), Number(balance)])),
    counts: new Map(all('counter').map(({ name, value }) => [String(name), Number(value)])),
    writers: states,
  }
}

function stateDifferences(should: State, has: State): string[] {
  const wrong: string[] = []
  const compare = (what: string, a: unknown, b: unknown) => {
    const [one, other] = [textOf(a), textOf(b)]
    if (one !== other) wrong.push(`${what} is ${other}, and should be ${one}`)
  }
  compare('the balances', should.balances, has.balances)
  compare('the counters', should.counts, has.counts)
  for (const [writer, own] of should.writers.entries()) {
    const found = has.writers[writer] as WriterState
    compare(`the tags of writer ${writer}`, own.tags, found.tags)
    compare(`the round of writer ${writer}`, own.round, found.round)
    compare(`the events of writer ${writer}`, own.events, found.events)
    compare(`the people of writer ${writer}`, own.people, found.people)
    for (const code of new Set([...own.items.keys(), ...found.items.keys()]))
      compare(`the item ${code}`, own.items.get(code), found.items.get(code))
  }
  return wrong
}

/** Independent of the order in which maps and sets were filled. */
function textOf(value: unknown): string {
  return (
    JSON.stringify(value, (_, one: unknown) => {
      if (one instanceof Map) return [...one].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))
      if (one instanceof Set) return [...(one as Set<string>)].toSorted((a, b) => (a < b ? -1 : 1))
      return typeof one === 'number' && Number.isNaN(one) ? 'mixed' : one
    }) ?? 'not there'
  )
}
