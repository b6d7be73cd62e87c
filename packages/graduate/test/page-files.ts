import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSqlite, quoteIdentifier, type SqliteDatabase } from '@outgrow/databases'
import { temporaryFolder, type Choices } from '@outgrow/testing'
import type { PlannedColumn } from '../src/model/plan.ts'
import { targetColumn } from './page-reader.ts'

const pageSizes = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536]
const declaredTypes = [
  '',
  'INTEGER',
  'INT',
  'BIGINT',
  'REAL',
  'DOUBLE',
  'FLOAT',
  'FLOATBLOB',
  'NUMERIC',
  'DECIMAL(10,2)',
  'TEXT',
  'VARCHAR(9)',
  'BLOB',
  'DATETIME',
  'BOOLEAN',
  'JSON',
]
const strictTypes = ['INT', 'INTEGER', 'REAL', 'TEXT', 'BLOB', 'ANY']
const texts = [
  '',
  'plain',
  '\0',
  'a\0b',
  'ünïcode 😀',
  '\uFFFD',
  '\uFEFFa',
  '2024-02-29',
  '7',
  '1.50',
  'true',
]
const times = ['2024-01-31T10:20:30.123Z', '2024-02-28T10:20:30.123+00:00', '1999-12-31 23:59:59']
const jsons = [
  '{"b":1,"a":[1,2.50,"x\\u00e9"]}',
  '{"a":1,"a":2}',
  '[-0.0]',
  '{"long":1,"b":{"c":null,"a":true}}',
  '{a:1}',
]
const integers = [
  0n,
  1n,
  -1n,
  127n,
  -129n,
  32768n,
  -32769n,
  8388608n,
  2n ** 31n,
  -(2n ** 31n) - 1n,
  2n ** 47n,
]
const largeIntegers = [2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)]
const reals = [0.5, -0.1, 1e300, 1e-300, 2.25, 1e17, 123456789.25, 5e-324]

/** SQL of a value, mostly of the kind that its column's name ends in. */
function valueOf(choices: Choices, pageSize: number, column = ''): string {
  const kind = Number(/_(\d+)$/.exec(column)?.[1])
  return valueOfKind(choices, pageSize, choices.often(0.9) && kind >= 0 ? kind : choices.whole(kinds))
}

const kinds = 16

function valueOfKind(choices: Choices, pageSize: number, kind: number): string {
  const hex = (bytes: Uint8Array) => `x'${Buffer.from(bytes).toString('hex')}'`
  const text = (of: string) => `CAST(${hex(Buffer.from(of))} AS TEXT)`
  const long = () => {
    const length = choices.whole(choices.often(0.05) ? 40 * pageSize : 3 * pageSize)
    return 'lorem ipsum '.repeat(Math.ceil(length / 12)).slice(0, length)
  }
  switch (kind) {
    case 0:
      return 'NULL'
    case 1:
    case 2:
      return String(choices.of(integers))
    case 3:
      return String(choices.whole(1_000_000) - 500_000)
    case 4:
      return String(choices.of(largeIntegers))
    case 5:
      return String(1_600_000_000_000 + choices.whole(1_000_000_000))
    case 6:
      return choices.of(['9e999', '-9e999', '-0.0', '2.0', '9007199254740993.0'])
    case 7:
      return choices.often(0.3)
        ? choices.of(reals).toExponential()
        : ((choices.whole(2e9) - 1e9) / choices.of([1, 10, 100, 1000, 1e6, 1e9])).toExponential()
    case 8:
      return text(choices.of(texts))
    case 9:
      return choices.of(["CAST(x'61ff62' AS TEXT)", "CAST(x'eda080' AS TEXT)", "CAST(x'c3' AS TEXT)"])
    case 10:
      return text(choices.often(0.3) ? choices.of(times) : timeOf(choices))
    case 11:
      return text(choices.of(jsons))
    case 12:
      return text(long())
    case 13:
      return hex(Buffer.from(long()))
    case 14:
      return choices.of(["x''", "x'00ff'", `jsonb('{"a":[1,2.5]}')`, "x'7b7d'"])
    default:
      return text(`user${choices.whole(1000)}@example.com`)
  }
}

/** As Prisma writes it, of days and hours that there are, mostly. */
function timeOf(choices: Choices): string {
  const two = (limit: number) => String(choices.whole(limit)).padStart(2, '0')
  const year = String(choices.often(0.9) ? 1990 + choices.whole(60) : choices.whole(10_000)).padStart(4, '0')
  const fraction = String(choices.whole(1000)).padStart(3, '0')
  return `${year}-${two(14)}-${two(33)}T${two(25)}:${two(61)}:${two(61)}.${fraction}${choices.of(['Z', '+00:00', '+02:00'])}`
}

/** Makes a file of random tables, in a random form, after a random history. */
export function makePageFile(choices: Choices, sizes: readonly number[] = pageSizes): string {
  const path = join(temporaryFolder(), 'app.db')
  const pageSize = choices.of(sizes)
  reserve(path, pageSize, choices.of([0, 0, 0, 8, 24, 32]))
  const database = createSqlite(path)
  database.pragma('synchronous = OFF')
  database.pragma(`auto_vacuum = ${choices.of([0, 0, 1, 2])}`)
  if (choices.often(0.5)) database.exec('VACUUM') // auto_vacuum comes into force
  if (choices.often(0.3)) database.pragma('journal_mode = WAL')
  const tables = 1 + choices.whole(3)
  for (let at = 0; at < tables; at++) makeTable(database, `t${at}`, choices, pageSize)
  if (choices.often(0.3)) database.exec('VACUUM')
  if (choices.often(0.3)) database.pragma('incremental_vacuum(3)')
  database.close()
  return path
}

/**
 * An empty database whose pages keep bytes at their ends, as extensions do that encrypt pages: SQLite has no statement for
 * it, and reads it from the header.
 */
function reserve(path: string, pageSize: number, reserved: number): void {
  const database = createSqlite(path)
  database.pragma(`page_size = ${pageSize}`)
  database.pragma('user_version = 1')
  database.close()
  const bytes = readFileSync(path)
  bytes[20] = reserved
  bytes.writeUInt16BE((pageSize - reserved) & 0xffff, 105) // where the rows of the one page would start
  writeFileSync(path, bytes)
}

function makeTable(database: SqliteDatabase, name: string, choices: Choices, pageSize: number): void {
  const strict = choices.often(0.2)
  const types = strict ? strictTypes : declaredTypes
  const columns = Array.from(
    { length: 1 + choices.whole(6) },
    (_, at) => `c${at}_${choices.whole(kinds)} ${choices.of(types)}`,
  )
  const key = choices.of([
    'id INTEGER PRIMARY KEY',
    'id INTEGER PRIMARY KEY AUTOINCREMENT',
    'id INTEGER PRIMARY KEY DESC',
    'id TEXT PRIMARY KEY',
    'id INT PRIMARY KEY',
    '',
    ' ',
  ])
  if (key.trim() !== '') columns.splice(choices.whole(columns.length + 1), 0, key)
  const suffix = [
    ...(strict ? ['STRICT'] : []),
    ...(key === 'id TEXT PRIMARY KEY' && choices.often(0.3) ? ['WITHOUT ROWID'] : []),
  ]
  const generated = choices.often(0.05) ? [`g INT AS (1)${choices.of([' STORED', ''])}`] : []
  database.exec(`CREATE TABLE ${name} (${[...columns, ...generated].join(', ')}) ${suffix.join(', ')}`)
  const insert = () => insertRows(database, name, choices, pageSize)
  insert()
  const history = [
    () => database.exec(`DELETE FROM ${name} WHERE abs(random()) % 3 = 0`),
    () => database.exec(`DELETE FROM ${name}`),
    () => {
      const values = ['NULL', '7', '2.0', "'text'", "x'00'", '-0.5', '9007199254740993', "'5'"]
      attempt(
        database,
        `ALTER TABLE ${name} ADD COLUMN a${choices.whole(99)} ${choices.of(types)} DEFAULT ${choices.of(values)}`,
      )
    },
    () => attempt(database, `ALTER TABLE ${name} DROP COLUMN ${columnOf(database, name)}`),
    () =>
      attempt(
        database,
        `UPDATE ${name} SET ${columnOf(database, name)} = ${valueOf(choices, pageSize)} WHERE abs(random()) % 4 = 0`,
      ),
    insert,
    insert,
  ]
  for (let step = choices.whole(5); step > 0; step--) choices.of(history)()
}

/** One that is no key. */
function columnOf(database: SqliteDatabase, name: string): string {
  return database
    .prepare('SELECT name FROM pragma_table_xinfo(?) WHERE pk = 0 AND hidden = 0 LIMIT 1')
    .pluck()
    .get(name) as string
}

/** Rows whose rowids ascend, have gaps, are random, negative, or beyond what a double holds. */
function insertRows(database: SqliteDatabase, name: string, choices: Choices, pageSize: number): void {
  const columns = database
    .prepare('SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid')
    .pluck()
    .all(name) as string[]
  const rowid = choices.of<() => bigint | undefined>([
    () => undefined,
    () => undefined,
    () => BigInt(choices.whole(1000) - 500),
    () => BigInt(choices.whole(1_000_000_000)) * BigInt(choices.of([1, -1, 4096])),
    () => BigInt.asIntN(64, BigInt(choices.whole(2 ** 32)) * 4294967296n + BigInt(choices.whole(2 ** 32))),
    () => choices.of([2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 53n) - 1n, 0n]),
  ])
  const rows = choices.of([0, 1, 2, 10, 40, 150])
  database.exec('BEGIN')
  for (let row = 0; row < rows; row++) {
    const id = rowid()
    const names = [...(id === undefined ? [] : ['rowid']), ...columns.filter((column) => column !== 'id')]
    const values = [
      ...(id === undefined ? [] : [String(id)]),
      ...names.slice(id === undefined ? 0 : 1).map((column) => valueOf(choices, pageSize, column)),
    ]
    attempt(
      database,
      names.length === 0
        ? `INSERT INTO ${name} DEFAULT VALUES`
        : `INSERT OR REPLACE INTO ${name} (${names.map(quoteIdentifier).join(', ')}) VALUES (${values.join(', ')})`,
    )
  }
  if (database.inTransaction) database.exec('COMMIT') // a table whose highest rowid was given takes no more, and SQLite rolls back
}

/** A value that a strict table refuses, or a column that cannot be dropped, is none. */
function attempt(database: SqliteDatabase, sql: string): void {
  try {
    database.exec(sql)
  } catch {
    // The next one may be taken.
  }
}

const targets: [type: string, modifiers: number[]][] = [
  ['int2', [-1]],
  ['int4', [-1]],
  ['int8', [-1]],
  ['oid', [-1]],
  ['bool', [-1]],
  ['float8', [-1]],
  ['float4', [-1]],
  ['numeric', [-1, ((65 << 16) | 30) + 4, ((10 << 16) | 2) + 4]],
  ['text', [-1]],
  ['varchar', [-1, 9 + 4]],
  ['bpchar', [5 + 4]],
  ['uuid', [-1]],
  ['timestamptz', [-1, 3, 0]],
  ['timestamp', [3]],
  ['date', [-1]],
  ['time', [3]],
  ['jsonb', [-1]],
  ['json', [-1]],
  ['bytea', [-1]],
  ['inet', [-1]],
]

/** By the kinds of values, types that take most of them. */
const fitting: Record<number, string[]> = {
  1: ['int8', 'int4', 'numeric'],
  2: ['int8', 'numeric', 'float8'],
  3: ['int4', 'numeric', 'timestamptz'],
  4: ['int8', 'numeric'],
  5: ['timestamptz', 'timestamp', 'int8'],
  6: ['float8'],
  7: ['float8', 'numeric'],
  10: ['timestamptz', 'timestamp', 'text'],
  11: ['jsonb', 'json', 'text'],
  12: ['text', 'varchar'],
  13: ['bytea'],
  15: ['text', 'varchar'],
}

/** How a table's columns are moved: mostly to types that take their values, in a random order, some left out. */
export function planColumns(choices: Choices): (table: string, columns: string[]) => PlannedColumn[] {
  return (_, columns) => {
    const kept = columns.filter(() => !choices.often(0.1))
    if (choices.often(0.2)) kept.reverse()
    return kept.map((source) => {
      const fits = choices.often(0.8) ? fitting[Number(/_(\d+)$/.exec(source)?.[1])] : undefined
      const [type, modifiers] = choices.of(targets.filter(([name]) => fits?.includes(name) ?? true))
      const notNull = choices.often(0.15)
      const special = choices.whole(20)
      const target =
        special === 0
          ? targetColumn('mood', { enumValues: ['plain', 'true', ''], notNull })
          : special === 1
            ? targetColumn('_int4', { element: { type: 'int4', oid: 23 }, notNull })
            : targetColumn(type, { modifier: choices.of(modifiers), notNull })
      return {
        source,
        target,
        castTo: special === 2 ? 'inet' : undefined,
        ...(special === 3 && { presenceOnly: true }),
      }
    })
  }
}
