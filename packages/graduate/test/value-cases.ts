/** One stored value: how SQLite holds it, and what Postgres must show, or why it is refused. */
export interface Case {
  /** Prisma type of the column, with attributes. */
  type: string
  /** SQL expression that makes the stored value, or a value to bind. */
  stored: string | Buffer
  /** Declared type of the SQLite column; TEXT-less BLOB affinity keeps every storage class as it is. */
  declared?: string
  /** Text that Postgres shows for the value. */
  shows?: string
  /** Reason for the refusal. */
  refused?: RegExp
  fix?: string[]
  schema?: 'sqlite' | 'postgres'
}

const nul = "CAST(x'610062' AS TEXT)"

const deep = Buffer.from('['.repeat(200_000))

export const cases: Record<string, Case> = {
  'DateTime: a time of day keeps its milliseconds': {
    type: 'DateTime @db.Time(3)',
    stored: "'1970-01-01T10:20:30.123+00:00'",
    shows: '10:20:30.123',
    schema: 'postgres',
  },
  'DateTime: a bare time of day is taken': {
    type: 'DateTime @db.Time(3)',
    stored: "'10:20:30'",
    shows: '10:20:30',
    schema: 'postgres',
  },
  'DateTime: a date is not dropped from a time of day': {
    type: 'DateTime @db.Time(3)',
    stored: '1704103200123',
    refused: /only the time of day/,
    schema: 'postgres',
  },
  'DateTime: a time of day with a zone is in UTC': {
    type: 'DateTime @db.Timetz(3)',
    stored: "'1970-01-01T10:20:30.123+00:00'",
    shows: '10:20:30.123+00',
    schema: 'postgres',
  },
  'Float: a real keeps a number that it prints as it was': {
    type: 'Float @db.Real',
    stored: '0.1',
    shows: '0.1',
    schema: 'postgres',
  },
  'Float: a real refuses more digits than it keeps': {
    type: 'Float @db.Real',
    stored: '1.23456789012',
    refused: /more digits/,
    schema: 'postgres',
  },
  'Json: what is nested too deeply is refused': {
    type: 'Json',
    stored: `'${deep.toString()}'`,
    refused: /nested too deeply/,
  },
  'String: text arrives byte for byte': {
    type: 'String',
    stored: "'Grüße 😀 \t''x'''",
    shows: "Grüße 😀 \t'x'",
  },
  'String: a true U+FFFD arrives': { type: 'String', stored: 'char(65533)', shows: '\uFFFD' },
  'String: an empty text stays empty': { type: 'String', stored: "''", shows: '' },
  'String: a NUL byte is refused': { type: 'String', stored: nul, refused: /NUL byte/ },
  'String: a NUL byte is removed by its rule': {
    type: 'String',
    stored: nul,
    fix: ['text-strip-nul'],
    shows: 'ab',
  },
  'String: invalid UTF-8 is refused': {
    type: 'String',
    stored: "CAST(x'61ff62' AS TEXT)",
    refused: /not UTF-8/,
  },
  'String: a lone surrogate is refused': {
    type: 'String',
    stored: "CAST(x'eda080' AS TEXT)",
    refused: /not UTF-8/,
  },
  'String: an integer becomes its text': { type: 'String', stored: '42', shows: '42' },
  'String: a real becomes the text of SQLite’s CAST': { type: 'String', stored: '1.0', shows: '1.0' },
  'String: a blob of UTF-8 becomes text': { type: 'String', stored: "x'c3a9'", shows: 'é' },
  'String: another blob is refused': { type: 'String', stored: "x'ff'", refused: /binary data/ },
  'String: longer than varchar(n) is refused': {
    type: 'String @db.VarChar(3)',
    stored: "'abcd'",
    refused: /longer than 3/,
    schema: 'postgres',
  },
  'String: varchar(n) counts characters': {
    type: 'String @db.VarChar(3)',
    stored: "'😀😀😀'",
    shows: '😀😀😀',
    schema: 'postgres',
  },
  'String: a UUID arrives as uuid': {
    type: 'String @db.Uuid',
    stored: "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
    shows: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    schema: 'postgres',
  },
  'String: a UUID in capitals would come back in another spelling': {
    type: 'String @db.Uuid',
    stored: "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
    refused: /writes differently/,
    schema: 'postgres',
  },
  'String: a UUID in capitals is respelled by its rule': {
    type: 'String @db.Uuid',
    stored: "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
    fix: ['uuid-respell'],
    shows: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    schema: 'postgres',
  },
  'String: char(n) would add blanks': {
    type: 'String @db.Char(5)',
    stored: "'ab'",
    refused: /pad it with blanks/,
    schema: 'postgres',
  },
  'String: blanks are added by their rule': {
    type: 'String @db.Char(5)',
    stored: "'ab'",
    fix: ['text-pad'],
    shows: 'ab', // a cast to text drops them again
    schema: 'postgres',
  },
  'String: no UUID is refused': {
    type: 'String @db.Uuid',
    stored: "'nope'",
    refused: /not a UUID/,
    schema: 'postgres',
  },
  'String: an inet is cast by the server': {
    type: 'String @db.Inet',
    stored: "'10.0.0.1'",
    shows: '10.0.0.1/32',
    schema: 'postgres',
  },
  'Boolean: 0 is false': { type: 'Boolean', stored: '0', shows: 'false' },
  'Boolean: 1 is true': { type: 'Boolean', stored: '1', shows: 'true' },
  // As Prisma's client reads them.
  'Boolean: a real 0.0 is false': { type: 'Boolean', stored: '0.0', shows: 'false' },
  'Boolean: a real 1.0 is true': { type: 'Boolean', stored: '1.0', shows: 'true' },
  'Boolean: a real between is refused': { type: 'Boolean', stored: '0.5', refused: /neither 0 nor 1/ },
  'Boolean: 2 is refused': { type: 'Boolean', stored: '2', refused: /neither 0 nor 1/ },
  'Boolean: a word is refused': { type: 'Boolean', stored: "'true'", refused: /is a word/ },
  'Boolean: a word is taken by its rule': {
    type: 'Boolean',
    stored: "'yes'",
    fix: ['boolean-words'],
    shows: 'true',
  },
  'Int: 32 bits fit': { type: 'Int', stored: '-2147483648', shows: '-2147483648' },
  'Int: 2147483648 is refused': { type: 'Int', stored: '2147483648', refused: /does not fit in 32 bits/ },
  'Int: 2^62 is refused': { type: 'Int', stored: '4611686018427387904', refused: /does not fit in 32 bits/ },
  'Int: an integral real is taken': { type: 'Int', stored: '7.0', shows: '7' },
  'Int: numeric text is taken': { type: 'Int', stored: "'12'", shows: '12' },
  'Int: 1.5 is refused': { type: 'Int', stored: '1.5', refused: /whole number/ },
  'Int: empty text is refused': { type: 'Int', stored: "''", refused: /empty text/ },
  'Int: words are refused': { type: 'Int', stored: "'lots'", refused: /not a whole number/ },
  'BigInt: 64 bits fit': { type: 'BigInt', stored: '9223372036854775807', shows: '9223372036854775807' },
  'BigInt: the lowest fits': {
    type: 'BigInt',
    stored: '-9223372036854775807 - 1',
    shows: '-9223372036854775808',
  },
  'BigInt: 2^53 + 1 keeps its last digit': {
    type: 'BigInt',
    stored: '9007199254740993',
    shows: '9007199254740993',
  },
  'BigInt: 2^63 as a real is refused': {
    type: 'BigInt',
    stored: '9223372036854775808',
    refused: /does not fit in 64 bits/,
  },
  'Float: 0.1 keeps its bits': { type: 'Float', stored: '0.1', shows: '0.1' },
  'Float: the smallest keeps its bits': { type: 'Float', stored: '5e-324', shows: '5e-324' },
  'Float: infinity is kept': { type: 'Float', stored: '9e999', shows: 'Infinity' },
  'Float: an integer is taken': { type: 'Float', stored: '3', shows: '3' },
  'Float: an integer that no double equals is refused': {
    type: 'Float',
    stored: '1106272346572132433',
    refused: /64-bit float/,
  },
  'Float: the lowest integer equals a double': {
    type: 'Float',
    stored: '-9223372036854775807 - 1',
    shows: '-9.223372036854776e+18',
  },
  'Float: a large real keeps its bits': { type: 'Float', stored: '1e300', shows: '1e+300' },
  'Float: text of a number that a double prints is taken': { type: 'Float', stored: "'0.10'", shows: '0.1' },
  'Float: text with more digits than a double keeps is refused': {
    type: 'Float',
    stored: "'1106272346572132433'",
    refused: /64-bit float/,
  },
  'Float: text beyond a double is refused': { type: 'Float', stored: "'1e400'", refused: /64-bit float/ },
  'Float: text that is no number is refused': { type: 'Float', stored: "'many'", refused: /not a number/ },
  'Decimal: a real becomes its shortest text': {
    type: 'Decimal',
    stored: '0.1',
    shows: '0.100000000000000000000000000000',
  },
  'Decimal: a negative keeps its sign': {
    type: 'Decimal @db.Decimal(10, 2)',
    stored: '-1234567.5',
    shows: '-1234567.50',
    schema: 'postgres',
  },
  'Decimal: an integer beyond 2^53 keeps its digits': {
    type: 'Decimal @db.Decimal(30, 0)',
    stored: '9007199254740993',
    shows: '9007199254740993',
    schema: 'postgres',
  },
  'Decimal: text keeps its digits': {
    type: 'Decimal @db.Decimal(40, 20)',
    stored: "'12345678901234567890.12345678901234567890'",
    shows: '12345678901234567890.12345678901234567890',
    schema: 'postgres',
  },
  'Decimal: zero': { type: 'Decimal @db.Decimal(10, 2)', stored: '0', shows: '0.00', schema: 'postgres' },
  'Decimal: an exponent is written out': {
    type: 'Decimal @db.Decimal(40, 10)',
    stored: '1.5e-7',
    shows: '0.0000001500',
    schema: 'postgres',
  },
  'Decimal: a finer scale is refused': {
    type: 'Decimal @db.Decimal(10, 2)',
    stored: '1.005',
    refused: /more than 2 digits after/,
    schema: 'postgres',
  },
  'Decimal: too many digits are refused': {
    type: 'Decimal @db.Decimal(5, 2)',
    stored: '1234',
    refused: /more than 3 digits before/,
    schema: 'postgres',
  },
  'Decimal: infinity is refused': { type: 'Decimal', stored: '9e999', refused: /infinite/ },
  'Decimal: words are refused': { type: 'Decimal', stored: "'free'", refused: /not a number/ },
  'DateTime: milliseconds': {
    type: 'DateTime',
    stored: '1697658213523',
    shows: '2023-10-18 19:43:33.523+00',
  },
  'DateTime: negative milliseconds': { type: 'DateTime', stored: '-1', shows: '1969-12-31 23:59:59.999+00' },
  'DateTime: an integral real': {
    type: 'DateTime',
    stored: '1697658213523.0',
    shows: '2023-10-18 19:43:33.523+00',
  },
  'DateTime: ISO with Z': {
    type: 'DateTime',
    stored: "'2023-10-18T19:43:33.523Z'",
    shows: '2023-10-18 19:43:33.523+00',
  },
  'DateTime: ISO with an offset': {
    type: 'DateTime',
    stored: "'2023-10-18T21:43:33.5+02:00'",
    shows: '2023-10-18 19:43:33.5+00',
  },
  'DateTime: CURRENT_TIMESTAMP is UTC': {
    type: 'DateTime',
    stored: "'2023-10-18 19:43:33'",
    shows: '2023-10-18 19:43:33+00',
  },
  'DateTime: a bare date is UTC': {
    type: 'DateTime',
    stored: "'2023-10-18'",
    shows: '2023-10-18 00:00:00+00',
  },
  'DateTime: a year before 100': {
    type: 'DateTime',
    stored: "'0044-03-15'",
    shows: '0044-03-15 00:00:00+00',
  },
  'DateTime: microseconds beyond the precision are refused': {
    type: 'DateTime',
    stored: "'2023-10-18T19:43:33.523456Z'",
    refused: /more precise than the target/,
  },
  'DateTime: microseconds are cut by their rule, not rounded': {
    type: 'DateTime',
    stored: "'2023-10-18T19:43:33.523999Z'",
    fix: ['datetime-truncate'],
    shows: '2023-10-18 19:43:33.523+00',
  },
  'DateTime: microseconds fit timestamptz(6)': {
    type: 'DateTime @db.Timestamptz(6)',
    stored: "'2023-10-18T19:43:33.523456Z'",
    shows: '2023-10-18 19:43:33.523456+00',
    schema: 'postgres',
  },
  'DateTime: timestamp without zone holds UTC': {
    type: 'DateTime',
    stored: '1697658213523',
    shows: '2023-10-18 19:43:33.523',
    schema: 'postgres',
  },
  'DateTime: a date column': {
    type: 'DateTime @db.Date',
    stored: "'2023-10-18'",
    shows: '2023-10-18',
    schema: 'postgres',
  },
  'DateTime: a time of day does not fit a date': {
    type: 'DateTime @db.Date',
    stored: '1697658213523',
    refused: /time of day/,
    schema: 'postgres',
  },
  'DateTime: empty text is refused': { type: 'DateTime', stored: "''", refused: /empty text/ },
  'DateTime: yesterday is refused': { type: 'DateTime', stored: "'yesterday'", refused: /not a date/ },
  'DateTime: month 13 is refused': { type: 'DateTime', stored: "'2023-13-01'", refused: /does not exist/ },
  'DateTime: 30 February is refused': {
    type: 'DateTime',
    stored: "'2023-02-30T00:00:00Z'",
    refused: /does not exist/,
  },
  'DateTime: seconds are never guessed': {
    type: 'DateTime',
    stored: '1697658213',
    refused: /looks like seconds/,
  },
  'DateTime: seconds are taken by their rule': {
    type: 'DateTime',
    stored: '1697658213',
    fix: ['datetime-seconds'],
    shows: '2023-10-18 19:43:33+00',
  },
  'DateTime: a Julian day is refused': { type: 'DateTime', stored: '2460236.5', refused: /Julian day/ },
  'DateTime: a Julian day is taken by its rule': {
    type: 'DateTime',
    stored: '2460236.5',
    fix: ['datetime-julian'],
    shows: '2023-10-19 00:00:00+00',
  },
  'DateTime: beyond Postgres’ range is refused': {
    type: 'DateTime',
    stored: '9224318016000000',
    refused: /out of the range/,
  },
  'Json: text becomes jsonb': {
    type: 'Json',
    stored: `'{"b":1,"a":[true,null,"x"]}'`,
    shows: '{"a": [true, null, "x"], "b": 1}',
  },
  'Json: digits beyond 2^53 are kept': {
    type: 'Json',
    stored: `'{"n":12345678901234567890.10}'`,
    shows: '{"n": 12345678901234567890.10}',
  },
  'Json: a double key is refused': {
    type: 'Json',
    stored: `'{"z":1,"a":{},"z":2}'`,
    refused: /duplicate key/,
  },
  'Json: a negative zero is refused': { type: 'Json', stored: `'[1,-0.0]'`, refused: /drops the sign/ },
  'Json: a double key and a negative zero stay in json': {
    type: 'Json @db.Json',
    stored: `'{"z":1,"z":[-0.0]}'`,
    shows: '{"z":1,"z":[-0.0]}',
    schema: 'postgres',
  },
  'Json: exponents, escapes and order': {
    type: 'Json',
    stored: `'{"long key":1e2,"y":0,"é":"\\u00e9\\n\\/","z":1.50e1}'`,
    shows: '{"y": 0, "z": 15.0, "é": "é\\n/", "long key": 100}',
  },
  'Json: the last of equal keys stays, by its rule': {
    type: 'Json',
    stored: `'{"long key":1e2,"z":-0,"é":"\\u00e9\\n\\/","z":1.50e1}'`,
    fix: ['json-last-key'],
    shows: '{"z": 15.0, "é": "é\\n/", "long key": 100}',
  },
  'Json: SQLite’s JSONB blob': { type: 'Json', stored: `jsonb('{"a":1}')`, shows: '{"a": 1}' },
  'Json: a number that affinity made': { type: 'Json', stored: '7', shows: '7', declared: 'JSONB' },
  'Json: invalid text is refused': { type: 'Json', stored: "'{a:1}'", refused: /not valid JSON/ },
  'Json: \\u0000 is refused': { type: 'Json', stored: `'"a\\u0000b"'`, refused: /u0000/ },
  'Json: a lone surrogate escape is refused': { type: 'Json', stored: `'"\\ud800"'`, refused: /surrogate/ },
  'Json: a malformed blob is refused': { type: 'Json', stored: "x'ffff'", refused: /not SQLite’s JSONB/ },
  'Bytes: a blob arrives': { type: 'Bytes', stored: "x'00ff10'", shows: '\\x00ff10' },
  'Bytes: text gives its own bytes': { type: 'Bytes', stored: "'AQID'", shows: '\\x41514944' },
  'Bytes: a number is refused': { type: 'Bytes', stored: '5', refused: /is a number/ },
  'Bytes: a number gives the bytes of its text, by its rule': {
    type: 'Bytes',
    stored: '-12',
    fix: ['bytes-from-number'],
    shows: '\\x2d3132',
  },
  'enum: a mapped value arrives': { type: 'Colour', stored: "'light-blue'", shows: 'light-blue' },
  'enum: another is refused with the nearest': {
    type: 'Colour',
    stored: "'Light Blue'",
    refused: /nearest: light-blue/,
  },
  'NULL in a required column is refused': { type: 'String', stored: 'NULL', refused: /NULL in a required/ },
}
