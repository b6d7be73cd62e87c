import { connectPostgres, quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import type { TestDatabase } from '@outgrow/testing'
import { makeSqlite } from '@outgrow/testing'
import { array, assert, asyncProperty, constantFrom, nat, option, uniqueArray } from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Digest } from '../src/model/digest.ts'
import type { PlannedTable } from '../src/model/plan.ts'
import { readTargetTables } from '../src/target/postgres/catalog.ts'
import { hashHere } from '../src/target/postgres/hash-here.ts'
import { hashOnServer } from '../src/target/postgres/hash-on-server.ts'
import { hashesRows } from '../src/target/postgres/row-hash.ts'
import { emptyTarget, move, sqliteSchema, verifyMove } from './move.ts'

/** Every kind of column, each with values as SQL writes them. */
const values: Record<string, string[]> = {
  bool: ['true', 'false'],
  int2: ['0', '-32768', '32767'],
  int4: ['0', '-2147483648', '2147483647'],
  int8: ['0', '-9223372036854775808', '9223372036854775807', '4294967296'],
  oid: ['0', '4294967295'],
  float4: ['0', '-0', 'NaN', '-Infinity', '1e-45', '3.4028235e38'],
  float8: ['0', '-0', 'NaN', 'Infinity', '5e-324', '0.1'],
  numeric: [
    '0',
    '0.00',
    '-1',
    '1.0',
    '1.00',
    '1e400',
    '0.00000001',
    'NaN',
    'Infinity',
    '123456789.987654321',
  ],
  'numeric(12,4)': ['0', '1', '-99999999.9999'],
  money: ['0', '-92233720368547758.08'],
  text: ['', 'a', 'abcdefghijkl', 'ä€😀', "it''s", 'x'.repeat(3000)],
  'varchar(20)': ['', 'abc', 'ß'],
  'char(7)': ['', 'abc', 'ü'],
  '"char"': ['a', ''],
  name: ['', 'a name'],
  'text COLLATE folded': ['', 'ABC', 'abc', 'Abc'],
  bytea: ['', '\\x00', '\\xff00ff', `\\x${'ab'.repeat(5000)}`],
  uuid: ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  date: ['2024-02-29', '-infinity', '4713-01-01 BC'],
  time: ['00:00', '24:00', '12:34:56.789012'],
  timetz: ['00:00+14', '12:34:56.789012-03'],
  timestamp: ['2024-01-01', 'infinity', '294276-12-31 23:59:59.999999'],
  timestamptz: ['2024-01-01Z', '-infinity', '1970-01-01 00:00:00.001Z'],
  interval: ['0', '1 mon -1 day 00:00:00.000001', '-178000000 years'],
  json: ['{}', '{"b":1,  "a":[1.0]}', 'null', '"é"'],
  jsonb: ['{}', '{"b":1,  "a":[1.0]}', 'null', '"é"', '1e5', '[]', '{"a":{"b":[true,null,""]}}'],
  jsonpath: ['$', '$.a[*] ? (@ > 1)'],
  inet: ['::1', '10.0.0.1/8', '10.0.0.1'],
  cidr: ['10.0.0.0/8', '::/0'],
  macaddr: ['08:00:2b:01:02:03'],
  macaddr8: ['08:00:2b:01:02:03:04:05'],
  'bit(5)': ['00000', '10101'],
  varbit: ['', '1', '101010101'],
  point: ['(0,-0)', '(1.5,NaN)'],
  box: ['((0,0),(1,1))'],
  path: ['[(0,0),(1,1)]', '((0,0),(1,1),(2,0))'],
  polygon: ['((0,0),(1,1),(2,0))'],
  circle: ['<(1,2),3>'],
  tsvector: ['', 'a:1 cat:2A'],
  tsquery: ['', 'a & !b'],
  int4range: ['empty', '[1,5)', '(,)'],
  numrange: ['[1.0,2.00]'],
  tstzrange: ['["2024-01-01Z",)'],
  int4multirange: ['{}', '{[1,2),[5,9)}'],
  pg_lsn: ['0/0', '16/B374D848'],
  mood: ['sad', 'very happy'],
  short: ['abc', ''],
  shorter: ['ab', ''],
  numbers: ['{}', '{1,NULL}'],
  temper: ['sad', 'very happy'],
  tempers: ['{}', '{sad,NULL}'],
  pair: ['(1,a)', '(,)'],
  'int4[]': ['{}', '{1,2,NULL}', '{{1,2},{3,4}}', '[0:1]={7,8}'],
  'text[]': ['{}', '{"",NULL,"a b","ü"}'],
  'mood[]': ['{}', '{sad,NULL,"very happy"}'],
  'numeric[]': ['{1.0,1.00}'],
  'jsonb[]': ['{}', '{"{\\"a\\": 1}"}'],
  'bytea[]': ['{"\\\\x00ff"}'],
  'pair[]': ['{"(1,a)"}'],
}
const types = Object.keys(values)

let target: TestDatabase
let client: PostgresClient
beforeAll(async () => {
  target = await emptyTarget()
  client = await connectPostgres(target.url)
  await client.query(`
    CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TYPE mood AS ENUM ('sad', 'very happy');
    CREATE TYPE pair AS (a int, b text);
    CREATE DOMAIN short AS text CHECK (length(value) < 9);
    CREATE DOMAIN shorter AS short CHECK (length(value) < 5);
    CREATE DOMAIN numbers AS int[];
    CREATE DOMAIN temper AS mood;
    CREATE DOMAIN tempers AS mood[];`)
})
afterAll(async () => {
  await client.end()
  await target.drop()
})

async function plannedAs(name: string): Promise<PlannedTable> {
  const table = (await readTargetTables(client, ['public'])).find((one) => one.name === name)
  if (table === undefined) throw new Error(`there is no table ${name}`)
  const columns = table.columns.map((column) => ({
    source: column.name,
    target: column,
    castTo: undefined,
  }))
  return { source: { name } as PlannedTable['source'], target: table, columns, key: [] }
}

async function both(table: PlannedTable): Promise<[Digest, Digest]> {
  return [await hashOnServer.digest(client, table), await hashHere.digest(client, table)]
}

/** Fills a table whose columns have the types; `picks` chooses each value, a row each. */
async function fill(name: string, columns: string[], picks: (number | null)[][]): Promise<void> {
  const declared = columns.map((type, at) => `c${at} ${type}`)
  await client.query(`DROP TABLE IF EXISTS ${name}; CREATE TABLE ${name} (${declared.join(', ')})`)
  for (const pick of picks) {
    const row = columns.map((type, at) => {
      const known = values[type] as string[]
      const chosen = pick[at]
      return chosen == null ? 'NULL' : `'${known[chosen % known.length]}'`
    })
    await client.query(`INSERT INTO ${name} VALUES (${row.join(', ')})`)
  }
}

test('the server and this process hash rows of every type alike, and each value has its own hash', async () => {
  expect(await hashesRows(client)).toBe(true)
  for (const type of types) {
    const seen = new Set<bigint>()
    const known = values[type] as string[]
    for (const at of known.keys()) {
      await fill('one', [type], [[at]])
      const [onServer, readBack] = await both(await plannedAs('one'))
      expect([type, known[at], onServer]).toEqual([type, known[at], readBack])
      seen.add(onServer.sum)
    }
    expect([type, seen.size]).toEqual([type, known.length])
  }
})

test('rows of many columns, NULLs among them, as a whole, by key, and row by row', async () => {
  const pick = option(nat(20), { nil: null, freq: 5 })
  await assert(
    asyncProperty(
      uniqueArray(constantFrom(...types), { minLength: 1, maxLength: 12 }),
      array(array(pick, { minLength: 12, maxLength: 12 }), { maxLength: 12 }),
      nat(),
      async (columns, picks, keyAt) => {
        await fill('many', columns, picks)
        const table = await plannedAs('many')
        const [onServer, readBack] = await both(table)
        expect(onServer).toEqual(readBack)
        expect(onServer.rows).toBe(picks.length)
        const key = [keyAt % columns.length]
        const byKey = await hashOnServer.digestsByKey(client, table, { key, buckets: 8 })
        expect(byKey).toEqual(await hashHere.digestsByKey(client, table, { key, buckets: 8 }))
        expect(await hashOnServer.digests(client, [table, table])).toEqual([onServer, onServer])
        const rows: string[][] = [[], []]
        const asked = { key, buckets: 8, of: [0, 3, 5] }
        await hashOnServer.eachRow(client, table, asked, (row) => void rows[0]?.push(row.toString('hex')))
        await hashHere.eachRow(client, table, asked, (row) => void rows[1]?.push(row.toString('hex')))
        expect(rows[0]?.toSorted()).toEqual(rows[1]?.toSorted())
      },
    ),
    { numRuns: 60 },
  )
})

test('values that change their rows, columns or NULLs change the digest', async () => {
  const digestOf = async (rows: string) => {
    await client.query(
      `DROP TABLE IF EXISTS moved; CREATE TABLE moved (a text, b text, n int); INSERT INTO moved VALUES ${rows}`,
    )
    const [onServer, readBack] = await both(await plannedAs('moved'))
    expect(onServer).toEqual(readBack)
    return onServer.sum
  }
  const digests = [
    "('x', 'y', 1), ('u', 'v', 2)",
    "('u', 'y', 1), ('x', 'v', 2)", // a value changed its row
    "('y', 'x', 1), ('u', 'v', 2)", // two values of a row changed places
    "('x', 'v', 1), ('u', 'y', 2)",
    "('x', '', 1), ('u', 'v', 2)",
    "('x', NULL, 1), ('u', 'v', 2)",
    "(NULL, 'x', 1), ('u', 'v', 2)",
    "('xy', '', 1), ('u', 'v', 2)",
  ]
  expect(new Set(await inTurn(digests, digestOf)).size).toBe(digests.length)
  expect(await digestOf("('u', 'v', 2), ('x', 'y', 1)")).toBe(await digestOf(digests[0] as string))
})

async function inTurn<In, Out>(items: In[], work: (item: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = []
  for (const item of items) results.push(await work(item))
  return results
}

test('1,600 columns, and values of 100 MB', async () => {
  const columns = Array.from({ length: 1600 }, (_, at) => `${quoteIdentifier(`column ${at}`)} bool`)
  await client.query(`DROP TABLE IF EXISTS wide; CREATE TABLE wide (${columns.join(', ')})`)
  await client.query(`INSERT INTO wide ("column 0", "column 700", "column 1599") VALUES (true, false, true)`)
  const wide = await both(await plannedAs('wide'))
  expect(wide[0]).toEqual(wide[1])
  await client.query(`CREATE TABLE large (t text, b bytea, j jsonb);
    INSERT INTO large VALUES (repeat('0123456789', 10000000), NULL, NULL),
      (NULL, decode(repeat('00ff', 50000000), 'hex'), NULL),
      (NULL, NULL, to_jsonb(repeat('0123456789', 10000000)))`)
  const large = await both(await plannedAs('large'))
  expect(large[0]).toEqual(large[1])
})

test('a table of more blocks than one statement hashes', async () => {
  await client.query(`CREATE TABLE long (n int, t text) WITH (fillfactor = 10);
    INSERT INTO long SELECT n, repeat('x', 700) FROM generate_series(1, 40000) n;
    DELETE FROM long WHERE n % 7 = 0`)
  const blocks = await client.query<{ blocks: number }>(
    "SELECT (pg_relation_size('long') / 8192)::int AS blocks",
  )
  expect(blocks.rows[0]?.blocks).toBeGreaterThan(2 * 16_384)
  const told: number[] = []
  const table = await plannedAs('long')
  const onServer = await hashOnServer.digest(client, table, { onRows: (rows) => told.push(rows) })
  expect(onServer).toEqual(await hashHere.digest(client, table))
  expect(told.length).toBeGreaterThan(2)
  expect(told.at(-1)).toBe(onServer.rows)
})

test('what inherits from a table is not counted among its rows, and the parts of a partitioned one are', async () => {
  await client.query(`CREATE TABLE parent (n int); CREATE TABLE child () INHERITS (parent);
    INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2);
    CREATE TABLE parted (n int) PARTITION BY RANGE (n);
    CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (9);
    INSERT INTO parted VALUES (1), (2)`)
  for (const [name, rows] of [
    ['parent', 1],
    ['parted', 2],
  ] as const) {
    const [onServer, readBack] = await both(await plannedAs(name))
    expect(onServer).toEqual(readBack)
    expect(onServer.rows).toBe(rows)
  }
})

test('a server that does not hash rows gets its rows read back', async () => {
  const other = await emptyTarget()
  await other.query('ALTER FUNCTION pg_catalog.hash_record_extended(record, bigint) RENAME TO elsewhere')
  const session = await connectPostgres(other.url)
  expect(await hashesRows(session)).toBe(false)
  await session.end()
  const schema = sqliteSchema('model T {\n  id Int @id\n  name String\n  at DateTime\n}')
  const from = makeSqlite(
    `CREATE TABLE "T" (id INTEGER PRIMARY KEY, name TEXT NOT NULL, at DATETIME NOT NULL);
     INSERT INTO "T" VALUES (1, 'a', 1700000000000), (2, 'b', 1700000000001)`,
  )
  const moved = await move(from, other.url, schema)
  expect(moved.tables).toMatchObject([{ sourceRows: 2, targetRows: 2, digestMatch: true }])
  expect((await verifyMove(from, other.url, schema)).tables).toMatchObject([{ digestMatch: true }])
  await other.query(`UPDATE "T" SET name = 'c' WHERE id = 2`)
  const { findings } = await verifyMove(from, other.url, schema)
  expect(findings).toMatchObject([{ code: 'OUTGROW_ROW_DIFFERS', column: 'name', keys: [{ id: 2 }] }])
  await other.drop()
})

test('settings of a database that would spell or end what a move asks do neither', async () => {
  const other = await emptyTarget()
  const name = new URL(other.url).pathname.slice(1)
  for (const setting of [
    'standard_conforming_strings = off',
    'quote_all_identifiers = on',
    "transaction_timeout = '50ms'",
  ])
    await other.query(`ALTER DATABASE ${name} SET ${setting}`)
  const schema = sqliteSchema('model T {\n  id Int @id\n  name String\n  tags Json\n}')
  const from = makeSqlite(
    `CREATE TABLE "T" (id INTEGER PRIMARY KEY, name TEXT NOT NULL, tags JSONB NOT NULL);
     INSERT INTO "T" VALUES (1, 'a\\b''c', '["a"]')`,
  )
  expect((await move(from, other.url, schema)).tables).toMatchObject([{ digestMatch: true }])
  expect(await verifyMove(from, other.url, schema)).toMatchObject({ findings: [] })
  await other.drop()
})
