import * as fc from 'fast-check'
import { openSqliteReadonly, withPostgres } from '@outgrow/databases'
import { expect, test } from 'vitest'
import { Refusal } from '../src/model/finding.ts'
import { postgresSchema } from './move.ts'
import { filledPostgres, newPath, reverseFrom } from './reverse.ts'
import { differences, digitsOf } from './same-values.ts'

const runs = Number(process.env.OUTGROW_PROPERTY_RUNS ?? 3)
const rows = 10

const text = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '007', '1e5', ' 5 ', '0x10', 'NULL', "it's", '\uFFFD'),
  )
  .filter((value) => value.isWellFormed() && !value.includes('\0'))
const decimal = fc.oneof(
  fc.constantFrom(
    '0',
    '-0.5',
    '1.50',
    '1e3',
    '9223372036854775807',
    '9223372036854775808',
    '0.1',
    '1e-20',
    'NaN',
  ),
  fc
    .tuple(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), fc.integer({ min: 0, max: 20 }))
    .map(String)
    .map((both) => both.replace(',', 'e-')),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }).map(String),
)
const json = fc
  .oneof(
    { weight: 3, arbitrary: fc.json() },
    fc.constantFrom(
      '5',
      '5.10',
      '-0',
      '1e5',
      '12345678901234567890',
      '"5"',
      'null',
      '1e400',
      '[1e400, 0.10]',
    ),
  )
  .filter((value) => !/\\u(0000|d[89a-f])/i.test(value) && value.isWellFormed())
const instant = fc.oneof(
  fc.constantFrom(
    'infinity',
    '-infinity',
    '4713-01-01 BC',
    '294000-06-01',
    '0044-03-15 12:00 BC',
    '12345-01-01',
    '1970-01-01 00:00:00.000001',
    '0000-01-01'.replace('0000', '0001'),
  ),
  fc
    .tuple(
      fc.date({ min: new Date('0100-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
      fc.integer({ min: 0, max: 999 }),
    )
    .map(([date, micros]) => `${date.toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}+00`),
)

/** Prisma's types and native ones, with values as Postgres reads them. */
type Kind = [type: string, native: string, values: fc.Arbitrary<string>]
const kinds: Kind[] = [
  ['String', '@db.Text', text],
  ['Int', '@db.Integer', fc.integer().map(String)],
  ['BigInt', '@db.BigInt', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)],
  [
    'Float',
    '@db.DoublePrecision',
    fc.oneof(
      fc.double().map((value) => (Object.is(value, -0) ? '-0' : String(value))),
      fc.constantFrom('9007199254740993', '1e300', '-0'),
    ),
  ],
  ['Decimal', '@db.Decimal', decimal],
  ['Decimal', '@db.Decimal(38, 6)', decimal.filter((value) => !/e[3-9]|e-\d\d|\d{20}/.test(value))],
  ['Boolean', '@db.Boolean', fc.boolean().map(String)],
  ['DateTime', '@db.Timestamptz(6)', instant],
  ['DateTime', '@db.Timestamp(6)', instant],
  ['DateTime', '@db.Date', instant],
  ['Json', '@db.JsonB', json],
  ['Json', '@db.Json', json],
  ['Bytes', '@db.ByteA', fc.uint8Array().map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`)],
]

const table = fc.array(fc.nat({ max: kinds.length - 1 }), { minLength: 1, maxLength: 6 }).chain((columns) =>
  fc.tuple(
    fc.constant(columns),
    fc.array(fc.tuple(...columns.map((at) => fc.option((kinds[at] as Kind)[2], { freq: 6 }))), {
      minLength: rows,
      maxLength: rows,
    }),
  ),
)

/** Whether SQLite has no way to store what Postgres prints, by what is documented of its numbers and of a Date. */
function isUnholdable(type: string, shown: string): boolean {
  switch (type) {
    case 'Float':
      return /^(NaN|-0)$/.test(shown)
    case 'Decimal': {
      const isWhole = /^-?\d+(\.0*)?$/.test(shown)
      const whole = isWhole ? BigInt(shown.replace(/\..*/, '')) : 0n
      if (isWhole && BigInt.asIntN(64, whole) === whole) return false
      return !Number.isFinite(Number(shown)) || digitsOf(String(Number(shown))) !== digitsOf(shown)
    }
    case 'DateTime':
      return /infinity/.test(shown) || Number(/^\d+/.exec(shown)?.[0]) > 275_759
    case 'Json':
      return /^\s*-?\d/.test(shown)
    default:
      return false
  }
}

test('any values of Postgres arrive in a file as plain SQL shows them on both sides, or are named', async () => {
  await fc.assert(
    fc.asyncProperty(table, async ([places, values]) => {
      const columns = places.map((at) => kinds[at] as Kind)
      const schema = postgresSchema(
        `model T {\n  id Int @id\n${columns.map(([type, native], at) => `  c${at} ${type}? ${native}`).join('\n')}\n}`,
      )
      const database = await filledPostgres({ schema, fill: '' })
      try {
        await withPostgres(database.url, async (client) => {
          for (const [id, row] of values.entries())
            await client.query(
              `INSERT INTO "T" VALUES ($1${columns.map((_, at) => `, $${at + 2}`).join('')})`,
              [id, ...row],
            )
        })
        const findings = await reverseFrom(database.url, schema, { to: newPath() }).then(
          () => [],
          (error: unknown) => {
            if (!(error instanceof Refusal) || error.code !== 'OUTGROW_BAD_VALUES') throw error
            return error.findings
          },
        )
        for (const { column, keys } of findings) {
          const at = Number(column?.slice(1))
          const [type] = columns[at] as Kind
          const shown = await database.query(`SELECT c${at}::text AS shown FROM "T" WHERE id = ANY($1)`, [
            keys.map(({ id }) => id),
          ])
          expect(shown.filter((row) => !isUnholdable(type, String(row.shown)))).toEqual([])
        }
        await database.query('DELETE FROM "T" WHERE id = ANY($1)', [
          findings.flatMap(({ keys }) => keys.map(({ id }) => id)),
        ])
        const path = newPath()
        await reverseFrom(database.url, schema, { to: path })
        const file = openSqliteReadonly(path)
        try {
          expect(await differences(file, database)).toEqual([])
        } finally {
          file.close()
        }
      } finally {
        await database.drop()
      }
    }),
    {
      numRuns: runs,
      ...(process.env.OUTGROW_SEED && { seed: Number(process.env.OUTGROW_SEED) }),
      endOnFailure: true,
    },
  )
}, 600_000)
