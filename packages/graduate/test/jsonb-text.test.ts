import { withPostgres } from '@outgrow/databases'
import * as fc from 'fast-check'
import { expect, inject, test } from 'vitest'
import { jsonbText } from '../src/values/jsonb-text.ts'

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
