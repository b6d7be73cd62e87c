import { Failure } from '@outgrow/kit'
import { describe, expect, test } from 'vitest'
import { Refusal, type Finding } from '../src/model/finding.ts'
import { postgresSchema } from './move.ts'
import { reverse, stored } from './reverse.ts'

interface Case {
  /** Prisma type of the field, with attributes. */
  type: string
  /** SQL of the value in Postgres. */
  value: string
  /** Storage class and literal in the file. */
  holds?: string
  /** Why it is refused. */
  refused?: RegExp
}

const cases: Record<string, Case> = {
  'String: text byte for byte': {
    type: 'String',
    value: `E'Grüße 😀 \\t''x'''`,
    holds: `text 'Grüße 😀 \t''x'''`,
  },
  'String: digits stay text': { type: 'String', value: `'007'`, holds: `text '007'` },
  'String: a replacement character is a character': {
    type: 'String',
    value: `'\uFFFD'`,
    holds: `text '\uFFFD'`,
  },
  'String: char(n) as Postgres pads it': { type: 'String @db.Char(4)', value: `'ab'`, holds: `text 'ab  '` },
  'String: a UUID': {
    type: 'String @db.Uuid',
    value: `'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'`,
    holds: `text 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'`,
  },
  'String: an address as Postgres prints it': {
    type: 'String @db.Inet',
    value: `'10.0.0.1'`,
    holds: `text '10.0.0.1'`,
  },
  'String: bits': { type: 'String @db.VarBit(9)', value: `B'0010'`, holds: `text '0010'` },
  'Int: the smallest': { type: 'Int', value: '-2147483648', holds: 'integer -2147483648' },
  'Int: an oid': { type: 'Int @db.Oid', value: '4294967295', holds: 'integer 4294967295' },
  'BigInt: the smallest': {
    type: 'BigInt',
    value: '-9223372036854775808',
    holds: 'integer -9223372036854775808',
  },
  'BigInt: beyond what a double holds': {
    type: 'BigInt',
    value: '9007199254740993',
    holds: 'integer 9007199254740993',
  },
  'Boolean: true': { type: 'Boolean', value: 'true', holds: 'integer 1' },
  'Boolean: NULL': { type: 'Boolean?', value: 'NULL', holds: 'null NULL' },
  'Float: a fraction': { type: 'Float', value: '0.1', holds: 'real 0.1' },
  'Float: the smallest there is': {
    type: 'Float',
    value: '5e-324',
    holds: 'real 4.9406564584124654e-324',
  },
  'Float: infinity': { type: 'Float', value: `'infinity'`, holds: 'real 9.0e+999' },
  'Float: NaN is not NULL': {
    type: 'Float?',
    value: `'NaN'`,
    refused: /^is NaN, which SQLite stores as NULL/,
  },
  'Float: -0 keeps its sign or is named': {
    type: 'Float',
    value: `'-0'`,
    refused: /^is -0, which SQLite stores as 0/,
  },
  'Float: a real is what it is printed as': { type: 'Float @db.Real', value: '0.1', holds: 'real 0.1' },
  'Float: a real that is NaN': { type: 'Float? @db.Real', value: `'NaN'`, refused: /NaN/ },
  'Decimal: a fraction': { type: 'Decimal', value: '1.5', holds: 'real 1.5' },
  'Decimal: a whole number of 64 bits': {
    type: 'Decimal',
    value: '9007199254740993',
    holds: 'integer 9007199254740993',
  },
  'Decimal: zeros of its scale': { type: 'Decimal @db.Decimal(10, 3)', value: '7', holds: 'integer 7' },
  'Decimal: zeros that no scale demands': { type: 'Decimal @db.Decimal', value: '1.500', holds: 'real 1.5' },
  'Decimal: money': { type: 'Decimal @db.Money', value: `'12.30'`, holds: 'real 12.3' },
  'Decimal: more digits than a double': {
    type: 'Decimal',
    value: '1234567890.12345678901',
    refused: /more digits/,
  },
  'Decimal: a whole number beyond 64 bits': {
    type: 'Decimal',
    value: '9223372036854775809',
    refused: /more digits/,
  },
  'Decimal: beyond what a double reaches': {
    type: 'Decimal @db.Decimal',
    value: `('1e400')::numeric`,
    refused: /more digits/,
  },
  'Decimal: NaN': { type: 'Decimal', value: `'NaN'`, refused: /^is NaN, which SQLite cannot store/ },
  'Decimal: infinity': { type: 'Decimal @db.Decimal', value: `'infinity'`, refused: /^is Infinity/ },
  'DateTime: milliseconds': {
    type: 'DateTime @db.Timestamptz(3)',
    value: `'2024-02-29 12:30:00.123+02'`,
    holds: `text '2024-02-29T10:30:00.123+00:00'`,
  },
  'DateTime: microseconds': {
    type: 'DateTime @db.Timestamptz(6)',
    value: `'2024-02-29 12:30:00.123456Z'`,
    holds: `text '2024-02-29T12:30:00.123456+00:00'`,
  },
  'DateTime: without a zone': {
    type: 'DateTime @db.Timestamp(3)',
    value: `'1969-12-31 23:59:59.999'`,
    holds: `text '1969-12-31T23:59:59.999+00:00'`,
  },
  'DateTime: a date': {
    type: 'DateTime @db.Date',
    value: `'0001-01-01'`,
    holds: `text '0001-01-01T00:00:00.000+00:00'`,
  },
  'DateTime: a year of five digits': {
    type: 'DateTime @db.Date',
    value: `'12345-01-01'`,
    holds: `text '+012345-01-01T00:00:00.000+00:00'`,
  },
  'DateTime: before the first year': {
    type: 'DateTime @db.Timestamp(3)',
    value: `'0044-03-15 00:00 BC'`,
    holds: `text '-000043-03-15T00:00:00.000+00:00'`,
  },
  'DateTime: infinity': { type: 'DateTime @db.Timestamptz(3)', value: `'infinity'`, refused: /^is infinity/ },
  'DateTime: a date that is -infinity': {
    type: 'DateTime @db.Date',
    value: `'-infinity'`,
    refused: /^is -infinity/,
  },
  'DateTime: a year that a Date does not hold': {
    type: 'DateTime @db.Timestamp(3)',
    value: `'294000-01-01'`,
    refused: /^is a year that a Date does not hold/,
  },
  'DateTime: a time of day': {
    type: 'DateTime @db.Time(3)',
    value: `'10:20:30.5'`,
    holds: `text '1970-01-01T10:20:30.500+00:00'`,
  },
  'DateTime: 24:00 is no time of a day': {
    type: 'DateTime @db.Time(3)',
    value: `'24:00'`,
    refused: /^is 24:00/,
  },
  'DateTime: a time of day with a zone': {
    type: 'DateTime @db.Timetz(3)',
    value: `'10:20:30+00'`,
    holds: `text '1970-01-01T10:20:30.000+00:00'`,
  },
  'DateTime: a time of day in another zone': {
    type: 'DateTime @db.Timetz(3)',
    value: `'10:20:30+02'`,
    refused: /^is a time of day in another zone than UTC/,
  },
  'Json: an object as Postgres spells it': {
    type: 'Json',
    value: `'{"b":[1,null],"a":1.50}'`,
    holds: `text '{"a": 1.50, "b": [1, null]}'`,
  },
  'Json: a text that looks like a number stays a text': { type: 'Json', value: `'"5"'`, holds: `text '"5"'` },
  'Json: a number that SQLite stores as one': { type: 'Json', value: `'5'`, holds: 'integer 5' },
  'Json: a number that SQLite would write in another way': {
    type: 'Json',
    value: `'5.10'`,
    refused: /^is a JSON number/,
  },
  'Json: a number of too many digits': {
    type: 'Json',
    value: `'12345678901234567890'`,
    refused: /^is a JSON number/,
  },
  'Json: json keeps its spaces': { type: 'Json @db.Json', value: `'{"a" :1}'`, holds: `text '{"a" :1}'` },
  'Json: null in JSON is not NULL': { type: 'Json?', value: `'null'`, holds: `text 'null'` },
  'Bytes: every byte': { type: 'Bytes', value: `'\\x00ff61'`, holds: `blob X'00FF61'` },
  'Bytes: none': { type: 'Bytes', value: `''`, holds: `blob X''` },
  'an enum by the name that the database has': {
    type: 'Colour',
    value: `'light-blue'`,
    holds: `text 'light-blue'`,
  },
}

const enums = `enum Colour {
  RED       @map("red")
  LIGHTBLUE @map("light-blue")
}
`

function requestOf(chosen: [string, Case][]) {
  const fields = chosen.map(([, { type }], at) => `  c${at} ${type}`)
  return {
    schema: postgresSchema(`${enums}model T {\n  id Int @id\n${fields.join('\n')}\n}`),
    fill: `INSERT INTO "T" VALUES (7, ${chosen.map(([, { value }]) => value).join(', ')})`,
  }
}

describe('values of Postgres that a file holds', async () => {
  const chosen = Object.entries(cases).filter(([, { holds }]) => holds !== undefined)
  const { path, result } = await reverse(requestOf(chosen))
  const found = stored(
    path,
    'T',
    chosen.map((_, at) => `c${at}`),
  )

  test('the row is the same on both sides', () => {
    expect(result.tables).toEqual([
      { table: 'T', sourceRows: 1, targetRows: 1, quarantinedRows: 0, digestMatch: true },
    ])
  })

  test.each(chosen.map(([name, one], at) => ({ name, one, at })))('$name', ({ one, at }) => {
    expect(found[at]).toBe(one.holds)
  })
})

describe('values of Postgres that a file does not hold', async () => {
  const chosen = Object.entries(cases).filter(([, { refused }]) => refused !== undefined)
  const failure = await reverse(requestOf(chosen)).catch((error: unknown) => error)
  const { findings } = failure as Refusal

  test('the move stops, and names every one of them', () => {
    expect(failure).toBeInstanceOf(Failure)
    expect((failure as Failure).code).toBe('OUTGROW_BAD_VALUES')
    expect(findings).toHaveLength(chosen.length)
  })

  test.each(chosen.map(([name, one], at) => ({ name, one, column: `c${at}` })))(
    '$name',
    ({ one, column }) => {
      const finding = findings.find((each) => each.column === column) as Finding
      expect(finding).toMatchObject({ code: 'OUTGROW_BAD_VALUE', table: 'T', count: 1, keys: [{ id: 7 }] })
      expect(finding.reason).toMatch(one.refused as RegExp)
      expect(finding.excerpt).not.toBeNull()
    },
  )
})

describe('arrays of Postgres, which the schema has as Json', () => {
  const lists: [column: string, holds: string | RegExp][] = [
    [`text[] '{a,NULL,"it''s"}'`, `["a", null, "it's"]`],
    [`text[] '{}'`, '[]'],
    [`int8[] '{9007199254740993,-1}'`, '[9007199254740993, -1]'],
    [`bool[] '{t,f}'`, '[true, false]'],
    [`float8[] '{0.1,1e300}'`, '[0.1, 1e+300]'],
    [`numeric[] '{1.50}'`, '["1.50"]'],
    [`timestamptz[] '{2024-02-29 12:30+02}'`, '["2024-02-29T10:30:00.000+00:00"]'],
    [`jsonb[] ARRAY['{"a":1}'::jsonb]`, '[{"a": 1}]'],
    [`inet[] '{10.0.0.1}'`, '["10.0.0.1"]'],
    [`int4[] '{{1,2},{3,4}}'`, /^is an array/],
    [`int4[] '[5:6]={1,2}'`, /^is an array/],
    [`float8[] '{NaN}'`, /^is an array/],
    [`bytea[] ARRAY['\\x61'::bytea]`, /^is an array/],
    [`jsonb[] ARRAY['null'::jsonb]`, /^is an array/],
  ]

  /** A table with the arrays as columns of its row. */
  const request = (chosen: typeof lists) => {
    const parts = chosen.map(([column]) => /^(\S+) (.*)$/.exec(column) as RegExpExecArray)
    return {
      schema: postgresSchema(
        `model T {\n  id Int @id\n${parts.map((_, at) => `  c${at} Json`).join('\n')}\n}`,
      ),
      ddl: `CREATE TABLE "T" (id int PRIMARY KEY, ${parts.map(([, type], at) => `c${at} ${type} NOT NULL`).join(', ')})`,
      fill: `INSERT INTO "T" VALUES (7, ${parts.map(([, , value]) => value).join(', ')})`,
    }
  }

  test('become JSON', async () => {
    const chosen = lists.filter(([, holds]) => typeof holds === 'string')
    const { path } = await reverse(request(chosen))
    const names = chosen.map((_, at) => `c${at}`)
    expect(stored(path, 'T', names)).toEqual(
      chosen.map(([, holds]) => `text '${String(holds).replaceAll("'", "''")}'`),
    )
  })

  test('are named where JSON does not hold them', async () => {
    const chosen = lists.filter(([, holds]) => typeof holds !== 'string')
    const failure = (await reverse(request(chosen)).catch((error: unknown) => error)) as Refusal
    for (const [at, [, reason]] of chosen.entries())
      expect(failure.findings.find(({ column }) => column === `c${at}`)?.reason).toMatch(reason)
    expect(failure.findings).toHaveLength(chosen.length)
  })
})
