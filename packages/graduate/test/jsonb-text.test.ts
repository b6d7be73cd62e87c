import { withPostgres } from '@outgrow/databases'
import * as fc from 'fast-check'
import { expect, inject, test } from 'vitest'
import { BinaryWriter } from '../src/types/binary-writer.ts'
import { KeyPath } from '../src/types/jsonb/key-path.ts'
import { JsonbRefusal } from '../src/types/jsonb/refusal.ts'
import { writeJsonbText } from '../src/types/jsonb/text.ts'

const numRuns = 10 * Number(process.env.OUTGROW_PROPERTY_RUNS ?? 4)

const key = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.constantFrom('', 'a', 'ab', 'abc', 'abcd', 'bb', 'é', '__proto__', 'z"', '\u{1F680}'),
  fc.constantFrom('k'.repeat(61), 'k'.repeat(62), 'k'.repeat(63), 'k'.repeat(80)),
)
const text = fc.string({ unit: 'binary', maxLength: 12 }).map((value) => value.replaceAll('\0', ''))
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.bigInt({ min: 0n, max: 10n ** 24n }),
    fc.constantFrom('', '.0', '.50', '.125', '.000000001'),
    fc.constantFrom('', 'e3', 'E-2', 'e+10'),
  )
  .map((parts) => parts.join(''))

/** JSON documents as text, with numbers of every spelling and white space. */
const document = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('true', 'false', 'null'),
    numberText,
    text.map((value) => JSON.stringify(value)),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => `[ ${items.join(' ,\n')}]`),
    fc
      .array(fc.tuple(key, tie('value')), { maxLength: 5 })
      .map((entries) => `{${entries.map(([name, value]) => `${JSON.stringify(name)} :${value}`).join(',')}}`),
  ),
})).value

const writer = new BinaryWriter()

function jsonbText(source: string, keys = KeyPath.root()): string {
  writer.at = 0
  writeJsonbText(source, writer, keys)
  return writer.buffer.toString('utf8', 0, writer.at)
}

function textOrNull(source: string, keys?: KeyPath): string | null {
  try {
    return jsonbText(source, keys)
  } catch (error) {
    if (error instanceof JsonbRefusal) return null
    throw error
  }
}

test('is what Postgres makes of any document', async () => {
  await withPostgres(inject('postgresUrl'), (client) =>
    fc.assert(
      fc.asyncProperty(fc.array(document, { minLength: 20, maxLength: 60 }), async (documents) => {
        const { rows } = await client.query<{ given: string }>(
          'SELECT d::jsonb::text AS given FROM unnest($1::text[]) d',
          [documents],
        )
        const expected = rows.map(({ given }) => given)
        const keys = KeyPath.root()
        expect(documents.map((text) => jsonbText(text, keys))).toEqual(expected)
        // Once more, now that their keys are known.
        expect(documents.map((text) => jsonbText(text, keys))).toEqual(expected)
      }),
      { numRuns },
    ),
  )
})

const pieces = [
  ...'{}[]",:\\-+.eE01 \n\t/'.split(''),
  'null',
  '\\u12',
  '\\uD83D',
  '\\ud83d\\ude00',
  'é',
  '\u0001',
]

/** Documents with a few places overwritten: about half of them are no JSON any more. */
const damaged = fc
  .tuple(document, fc.array(fc.tuple(fc.nat(), fc.constantFrom(...pieces)), { maxLength: 2 }))
  .map(([given, changes]) =>
    changes.reduce((text, [at, piece]) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + piece + text.slice(place + 1)
    }, given),
  )

test('takes and refuses the documents that Postgres takes and refuses', async () => {
  await withPostgres(inject('postgresUrl'), (client) =>
    fc.assert(
      fc.asyncProperty(fc.array(damaged, { minLength: 50, maxLength: 100 }), async (documents) => {
        const { rows } = await client.query<{ given: string | null }>(
          `SELECT CASE WHEN pg_input_is_valid(d, 'jsonb') THEN d::jsonb::text END AS given
           FROM unnest($1::text[]) d`,
          [documents.map((text) => text.toWellFormed())],
        )
        const keys = KeyPath.root()
        const textOf = (document: string) => textOrNull(document.toWellFormed(), keys)
        const expected = rows.map(({ given }) => given)
        expect(documents.map(textOf)).toEqual(expected)
        expect(documents.map(textOf)).toEqual(expected)
      }),
      { numRuns },
    ),
  )
})

test('refuses a text that was cut off behind a backslash, however long', () => {
  // Each fills the memory that is made for it to its end.
  for (const length of [100, 70_000, 700_000]) {
    for (const start of ['["', '{"']) {
      const source = Buffer.from(`${start}${'a'.repeat(length)}\\`)
      expect(() => writeJsonbText(source, new BinaryWriter())).toThrow(JsonbRefusal)
      expect(() => writeJsonbText(String(source), new BinaryWriter())).toThrow(JsonbRefusal)
    }
  }
})

test('reads any character at any place of a string as JSON.parse does', () => {
  const characters = [
    ...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)),
    'é',
    '€',
    '\u{1F680}',
  ]
  for (const character of characters) {
    for (let place = 0; place < 10; place++) {
      const source = `["${'a'.repeat(place)}${character}${'b'.repeat(9 - place)}", 1]`
      expect([source, textOrNull(source)]).toEqual([source, parsedText(source)])
    }
  }
})

/** Of an array of a string and a number. */
function parsedText(source: string): string | null {
  try {
    return JSON.stringify(JSON.parse(source)).replace(/,1\]$/, ', 1]')
  } catch {
    return null // that it is no JSON is the answer
  }
}

test('gives a document one text, whether its keys are known, are too many to be, or end where another document does', () => {
  const names = Array.from({ length: 70 }, (_, at) => 'abcdefghij'.repeat(7).slice(0, at))
  const objectOf = (keys: string[]) => `{${keys.map((name) => `"${name}":"${name}"`).join(',')}}`
  const expectedOf = (keys: string[]) =>
    `{${[...new Set(keys)]
      .toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1))
      .map((name) => `"${name}": "${name}"`)
      .join(', ')}}`
  fc.assert(
    fc.property(
      fc.array(
        fc.array(fc.oneof(fc.constantFrom(...names), fc.string({ unit: fc.constantFrom('x', 'y') }))),
        {
          maxLength: 400,
        },
      ),
      (objects) => {
        const keys = KeyPath.root()
        for (let time = 0; time < 2; time++)
          for (const object of objects) expect(jsonbText(objectOf(object), keys)).toBe(expectedOf(object))
      },
    ),
    { numRuns },
  )
})

test('says of every document with a key twice what is lost, also once its keys are known', () => {
  const keys = KeyPath.root()
  for (const source of ['{"a":1,"b":2}', '{"a":1,"b":2,"a":3}', '{"a":1,"b":2,"a":3}', '{"b":2,"a":1}']) {
    const isTwice = source.includes('3')
    writer.at = 0
    expect(writeJsonbText(source, writer, keys) !== undefined).toBe(isTwice)
    expect(writer.buffer.toString('utf8', 0, writer.at)).toBe(
      isTwice ? '{"a": 3, "b": 2}' : '{"a": 1, "b": 2}',
    )
  }
})
