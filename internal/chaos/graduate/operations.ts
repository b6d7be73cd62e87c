import { chanceOf, type Chance } from './chance.ts'
import { accounts, counters } from './schema.ts'

/** Values of an item. Json and decimals as they are meant, whatever they are written as. */
export interface Values {
  data: unknown
  /** How the Json is written: as compact or spaced text, or in SQLite's binary form. */
  spelling: 'compact' | 'spaced' | 'jsonb'
  price: string | null
  body: string | null
  note: string | null
  score: number | null
}

/** One transaction of a writer. What it names belongs to that writer alone, but for accounts and counters. */
export type Operation =
  | { kind: 'transfer'; from: number; to: number; amount: number }
  | { kind: 'count'; counter: string }
  | { kind: 'put' | 'replace'; code: string; rank: number; values: Values }
  | { kind: 'swap'; codes: [string, string] }
  | { kind: 'remove' | 'rekey'; code: string }
  | { kind: 'part'; code: string; no: number; quantity: number | null }
  | { kind: 'tag'; code: string; tag: string }
  | { kind: 'rename-tag'; tag: string; to: string }
  | { kind: 'untag'; tag: string }
  | { kind: 'bulk' }
  | { kind: 'event'; isDeleted: boolean }
  | { kind: 'person'; email: string; name: string | null; preferences: unknown }
  | { kind: 'invite'; email: string; by: string }
  | { kind: 'leave'; email: string }
  | { kind: 'many'; of: Operation[] }

const codesPerWriter = 10
const tagsPerWriter = 6
const peoplePerWriter = 8

/** The operation of that number: the same whenever it is asked for. */
export function operationOf(seed: number, writer: number, seq: number): Operation {
  const chance = chanceOf(seed, writer + 1, seq)
  if (chance.is(0.12))
    return { kind: 'many', of: Array.from({ length: 2 + chance.whole(6) }, () => simple(chance, writer)) }
  return chance.is(0.02) ? { kind: 'bulk' } : simple(chance, writer)
}

function simple(chance: Chance, writer: number): Operation {
  const code = () => codeOf(chance, writer)
  const email = () => `p${chance.whole(peoplePerWriter)}@${writer}.example`
  const tag = () => `t${writer}-${chance.whole(tagsPerWriter)}`
  return chance.weighted<() => Operation>([
    [
      5,
      () => {
        const from = 1 + chance.whole(accounts)
        const to = 1 + ((from + chance.whole(accounts - 1)) % accounts)
        return { kind: 'transfer', from, to, amount: 1 + chance.whole(50) }
      },
    ],
    [4, () => ({ kind: 'count', counter: chance.one(counters) })],
    [5, () => ({ kind: 'put', code: code(), rank: chance.whole(16), values: valuesOf(chance) })],
    [4, () => ({ kind: 'replace', code: code(), rank: chance.whole(16), values: valuesOf(chance) })],
    [3, () => ({ kind: 'swap', codes: [code(), code()] })],
    [2, () => ({ kind: 'remove', code: code() })],
    [1, () => ({ kind: 'rekey', code: code() })],
    [
      4,
      () => ({
        kind: 'part',
        code: code(),
        no: chance.whole(4),
        quantity: chance.is(0.3) ? null : chance.whole(1000),
      }),
    ],
    [3, () => ({ kind: 'tag', code: code(), tag: tag() })],
    [1, () => ({ kind: 'rename-tag', tag: tag(), to: tag() })],
    [1, () => ({ kind: 'untag', tag: tag() })],
    [
      4,
      () => ({
        kind: 'person',
        email: email(),
        name: chance.one([null, 'Ann', 'Bo “B” Ç']),
        preferences: chance.one<unknown>([{}, { theme: 'dark', n: chance.whole(100) }, [1, 'two', null]]),
      }),
    ],
    [2, () => ({ kind: 'invite', email: email(), by: email() })],
    [1, () => ({ kind: 'leave', email: email() })],
    [4, () => ({ kind: 'event', isDeleted: chance.is(0.3) })],
  ])()
}

/** Upper and lower case name the same item. */
function codeOf(chance: Chance, writer: number): string {
  const code = `c${writer}-${'abcdefghijklmnop'[chance.whole(codesPerWriter)]}`
  return chance.is(0.3) ? code.toUpperCase() : code
}

function valuesOf(chance: Chance): Values {
  const text = chance.one(['', 'plain', 'ünï 😀 "quoted"', 'a\nb', "it's", 'null'])
  return {
    data: chance.one<unknown>([
      null,
      { a: chance.whole(100), b: [1, 2.5, text] },
      [],
      { nested: { text, big: 12_345_678_901 } },
      text,
      chance.whole(1000),
      true,
      { z: 1, a: 2, aa: null },
    ]),
    spelling: chance.one(['compact', 'spaced', 'jsonb']),
    price: chance.one([null, '0', '1.5', '-12.34', '1000000', '0.1', '99999.99', '123456789']),
    body: chance.one([null, '', '00', 'deadbeef', 'ff'.repeat(300)]),
    note: chance.one([null, text]),
    score: chance.one([null, 0, -0.5, 1e-7, 3.141592653589793, 1e20]),
  }
}
