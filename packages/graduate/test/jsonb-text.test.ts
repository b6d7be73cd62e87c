import { withPostgres } from '@outgrow/databases'
import * as fc from 'fast-check'
import { expect, inject, test } from 'vitest'
import { BinaryWriter } from '../src/types/binary-writer.ts'
import { JsonbRefusal } from '../src/types/jsonb/refusal.ts'
import { writeJsonbText } from '../src/types/jsonb/text.ts'

const key = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.constantFrom('a', 'bb', 'é', '__proto__', 'z"', '\u{1F680}'),
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

function jsonbText(source: string): string {
  const writer = new BinaryWriter()
  writeJsonbText(source, writer)
  return writer.take().toString('utf8')
}

test('is what Postgres makes of any document', async () => {
  await withPostgres(inject('postgresUrl'), (client) =>
    fc.assert(
      fc.asyncProperty(fc.array(document, { minLength: 20, maxLength: 60 }), async (documents) => {
        const { rows } = await client.query<{ given: string }>(
          'SELECT d::jsonb::text AS given FROM unnest($1::text[]) d',
          [documents],
        )
        expect(documents.map(jsonbText)).toEqual(rows.map(({ given }) => given))
      }),
      { numRuns: 40 },
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
        const ours = documents.map((text) => {
          try {
            return jsonbText(text.toWellFormed())
          } catch (error) {
            if (error instanceof JsonbRefusal) return null
            throw error
          }
        })
        expect(ours).toEqual(rows.map(({ given }) => given))
      }),
      { numRuns: 40 },
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
