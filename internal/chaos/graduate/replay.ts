import { assertNever } from '@outgrow/kit'
import { canonicalDecimal, canonicalJson } from './canonical.ts'
import type { Operation, Values } from './operations.ts'
import { accounts, balanceAtStart, counters } from './schema.ts'

/** An item with what hangs on it, as the application means it. */
interface ItemState {
  code: string
  rank: number
  values: string
  parts: Map<number, number>
  tags: Set<string>
}

/** What one writer alone has made. */
export interface WriterState {
  /** By code in lower case. */
  items: Map<string, ItemState>
  tags: Set<string>
  round: number
  /** By operation, how many events it left. */
  events: Map<number, number>
  /** By address. */
  people: Map<string, { values: string; invitedBy: string | null }>
}

/** What operations make of the rows that were there at the start. */
export interface State {
  balances: Map<number, number>
  counts: Map<string, number>
  writers: WriterState[]
}

export function startingState(writers: number): State {
  return {
    balances: new Map(Array.from({ length: accounts }, (_, at) => [at + 1, balanceAtStart])),
    counts: new Map(counters.map((name) => [name, 0])),
    writers: Array.from({ length: writers }, () => ({
      items: new Map(),
      tags: new Set<string>(),
      round: 0,
      events: new Map(),
      people: new Map(),
    })),
  }
}

/**
 * Does in memory what an operation does in a database. Operations of one writer come in their order; in which order those
 * of several come makes no difference.
 * @throws Error where no database could have done it
 */
export function replay(state: State, writer: number, seq: number, operation: Operation): void {
  const own = state.writers[writer] as WriterState
  const { items, tags } = own
  switch (operation.kind) {
    case 'many':
      for (const one of operation.of) if (one.kind !== 'count') replay(state, writer, seq, one)
      return
    case 'transfer': {
      const { from, to, amount } = operation
      state.balances.set(from, (state.balances.get(from) ?? 0) - amount)
      state.balances.set(to, (state.balances.get(to) ?? 0) + amount)
      return
    }
    case 'count':
      state.counts.set(operation.counter, (state.counts.get(operation.counter) ?? 0) + 1)
      return
    case 'put': {
      const { code, rank, values } = operation
      const known = items.get(code.toLowerCase())
      if (known) {
        known.values = valuesText(values)
        return
      }
      if ([...items.values()].some((item) => item.rank === rank)) throw new Error(`rank ${rank} is taken`)
      items.set(code.toLowerCase(), newItem(code, rank, values))
      return
    }
    case 'replace': {
      const { code, rank, values } = operation
      for (const [key, item] of items) if (key === code.toLowerCase() || item.rank === rank) items.delete(key)
      items.set(code.toLowerCase(), newItem(code, rank, values))
      return
    }
    case 'swap': {
      const [a, b] = operation.codes
      const [one, other] = [items.get(a.toLowerCase()), items.get(b.toLowerCase())]
      if (one === undefined || other === undefined || one === other) return
      items.set(a.toLowerCase(), { ...other, code: a })
      items.set(b.toLowerCase(), { ...one, code: b })
      return
    }
    case 'remove':
      items.delete(operation.code.toLowerCase())
      return
    case 'rekey':
      return
    case 'part': {
      const item = items.get(operation.code.toLowerCase())
      if (operation.quantity === null) item?.parts.delete(operation.no)
      else item?.parts.set(operation.no, operation.quantity)
      return
    }
    case 'tag':
      tags.add(operation.tag)
      items.get(operation.code.toLowerCase())?.tags.add(operation.tag)
      return
    case 'rename-tag': {
      const { tag, to } = operation
      if (!tags.has(tag) || tag === to) return
      if (tags.has(to)) throw new Error(`the tag ${to} is taken`)
      tags.delete(tag)
      tags.add(to)
      for (const item of items.values()) if (item.tags.delete(tag)) item.tags.add(to)
      return
    }
    case 'untag':
      tags.delete(operation.tag)
      for (const item of items.values()) item.tags.delete(operation.tag)
      return
    case 'bulk':
      own.round++
      return
    case 'event':
      if (!operation.isDeleted) own.events.set(seq, (own.events.get(seq) ?? 0) + 1)
      return
    case 'person': {
      const { email, name, preferences } = operation
      const values = personText(name, canonicalJson(preferences))
      own.people.set(email, { values, invitedBy: own.people.get(email)?.invitedBy ?? null })
      return
    }
    case 'invite': {
      const known = own.people.get(operation.email)
      if (known && own.people.has(operation.by)) known.invitedBy = operation.by
      return
    }
    case 'leave':
      own.people.delete(operation.email)
      for (const one of own.people.values()) if (one.invitedBy === operation.email) one.invitedBy = null
      return
    default:
      assertNever(operation)
  }
}

function newItem(code: string, rank: number, values: Values): ItemState {
  return { code, rank, values: valuesText(values), parts: new Map(), tags: new Set() }
}

function valuesText({ data, price, body, note, score }: Values): string {
  return itemText({
    data: data === null ? null : canonicalJson(data),
    price: price === null ? null : canonicalDecimal(price),
    body,
    note,
    score,
  })
}

/** The values of a person as one text. */
export function personText(name: string | null, preferences: string | null): string {
  return JSON.stringify([name, preferences])
}

/** The values of an item as one text. */
export function itemText(values: {
  data: string | null
  price: string | null
  body: string | null
  note: string | null
  score: number | null
}): string {
  const { data, price, body, note, score } = values
  return JSON.stringify([data, price, body, note, score === 0 ? 0 : score])
}
