import * as fc from 'fast-check'
import { openSqliteReadonly } from '@outgrow/databases'
import { pullSchema } from '@outgrow/schema'
import { makeSqlite } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { refusedTypes } from '../src/index.ts'
import { emptyTarget, move, sqliteSchema } from './move.ts'
import { differences } from './same-values.ts'

const runs = Number(process.env.OUTGROW_PROPERTY_RUNS ?? 3)

const declared = fc.constantFrom(
  '',
  'INTEGER',
  'INT',
  'BIGINT',
  'TIMESTAMP',
  'DATETIME',
  'DATE',
  'BOOLEAN',
  'TINYINT(1)',
  'REAL',
  'DOUBLE',
  'NUMERIC',
  'DECIMAL(10,2)',
  'MONEY',
  'TEXT',
  'VARCHAR(9)',
  'CLOB',
  'BLOB',
  'JSON',
  'JSONB',
  'UUID',
)

const quoted = (text: string) => `CAST(x'${Buffer.from(text).toString('hex')}' AS TEXT)`
const hex = (bytes: Uint8Array) => `x'${Buffer.from(bytes).toString('hex')}'`
const realText = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => {
  const text = String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
})

/** Stored values as SQL expressions, by what an application may have meant by them. */
const kinds: Record<string, fc.Arbitrary<string>> = {
  small: fc.integer({ min: -3, max: 300 }).map(String),
  flag: fc.constantFrom('0', '1'),
  int: fc.integer().map(String),
  big: fc
    .oneof(
      fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }),
      fc.constantFrom(2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 1106272346572132433n, 2n ** 31n),
    )
    .map(String),
  real: fc.oneof(
    realText,
    fc.constantFrom('0.1', '1e-40', '9e999', '-9e999', '2.0', '9007199254740993.0', '1e17', '0.5'),
  ),
  millis: fc.integer({ min: 946684800000, max: 1893456000000 }).map(String),
  seconds: fc.integer({ min: 100000000, max: 2000000000 }).map(String),
  date: fc
    .tuple(
      fc.constantFrom('2024-02-29', '2023-02-30', '1999-12-31', '0044-03-15', '2024-1-5', '2023-10-18'),
      fc.constantFrom(
        '',
        ' 10:20',
        'T10:20:30',
        ' 10:20:30.5',
        'T10:20:30.123Z',
        'T10:20:30.123456+02:00',
        ' 23:59:60',
        'T10:20:30.123+00:00',
      ),
    )
    .map(([day, time]) => quoted(day + time)),
  day: fc
    .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
    .map((day) => quoted(day.toISOString().slice(0, 10))),
  numeral: fc
    .constantFrom('7', '007', '1.50', '+3', '1e5', ' 12 ', '-0', '1106272346572132433', '0x10', '')
    .map(quoted),
  word: fc
    .constantFrom(
      'true',
      'yes',
      'Inf',
      'NULL',
      'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
      "it's",
      'x'.repeat(12),
    )
    .map(quoted),
  text: fc.string({ unit: 'binary', maxLength: 8 }).map(quoted),
  odd: fc.constantFrom(
    "CAST(x'610062' AS TEXT)",
    "CAST(x'61ff62' AS TEXT)",
    'char(65533)',
    "CAST(x'eda080' AS TEXT)",
    quoted('\uFEFFa'),
  ),
  json: fc
    .oneof(
      fc.json({ maxDepth: 2 }),
      fc.constantFrom(
        '{"a":1,"a":2}',
        '[-0.0]',
        '{"b":9007199254740993,"a":1.50}',
        '[1e2,"\\u00e9"]',
        '"\\u0000"',
        '{a:1}',
        '1e400',
      ),
    )
    .map(quoted),
  jsonb: fc.constantFrom(`jsonb('{"a":[1,2.5]}')`, `jsonb('"x"')`, "x'7b7d'", "x'ffff'"),
  blob: fc.uint8Array({ maxLength: 6 }).map(hex),
}

/** Mostly of one kind, and now and then something else, as real columns are. */
const column = fc
  .tuple(declared, fc.constantFrom(...Object.keys(kinds)), fc.constantFrom(...Object.keys(kinds)))
  .chain(([type, main, other]) => {
    const value = fc.oneof(
      { weight: 12, arbitrary: kinds[main] as fc.Arbitrary<string> },
      { weight: 1, arbitrary: kinds[other] as fc.Arbitrary<string> },
      { weight: 2, arbitrary: fc.constant('NULL') },
    )
    return fc.record({ type: fc.constant(type), values: fc.array(value, { minLength: 6, maxLength: 6 }) })
  })
const tables = fc.array(fc.array(column, { minLength: 1, maxLength: 4 }), { minLength: 8, maxLength: 8 })

function fileOf(all: { type: string; values: string[] }[][]): string {
  return makeSqlite(
    all
      .map((columns, at) => {
        const head = columns.map(({ type }, n) => `c${n} ${type}`)
        const rows = columns[0]?.values.map(
          (_, row) => `(${[row + 1, ...columns.map(({ values }) => values[row])].join(', ')})`,
        )
        return `CREATE TABLE t${at} (id INTEGER PRIMARY KEY, ${head.join(', ')}); INSERT INTO t${at} VALUES ${rows?.join(', ')};`
      })
      .join('\n'),
  )
}

/** What did not arrive as it was. */
async function lostIn(from: string, schema: string): Promise<string[]> {
  const target = await emptyTarget()
  await move(from, target.url, schema, { onBadValue: 'quarantine' })
  const file = openSqliteReadonly(from)
  const wrong = await differences(file, target)
  file.close()
  await target.drop()
  return wrong
}

test('whatever a file holds arrives as it was, or its row is named: with the types that a pull chooses', async () => {
  await fc.assert(
    fc.asyncProperty(tables, async (all) => {
      const from = fileOf(all)
      expect(await lostIn(from, pullSchema(from, refusedTypes).text)).toEqual([])
    }),
    { numRuns: runs, endOnFailure: true },
  )
}, 600_000)

const types = fc.constantFrom(
  'Int',
  'BigInt',
  'Float',
  'Decimal',
  'Boolean',
  'String',
  'Bytes',
  'DateTime',
  'Json',
)

test('whatever a file holds arrives as it was, or its row is named: with types that were never meant for it', async () => {
  await fc.assert(
    fc.asyncProperty(tables, fc.array(types, { minLength: 4, maxLength: 4 }), async (all, given) => {
      const models = all.map(
        (columns, at) =>
          `model t${at} {\n  id Int @id\n${columns.map((_, n) => `  c${n} ${given[(n + at) % 4]}?`).join('\n')}\n}`,
      )
      expect(await lostIn(fileOf(all), sqliteSchema(models.join('\n')))).toEqual([])
    }),
    { numRuns: runs, endOnFailure: true },
  )
}, 600_000)
