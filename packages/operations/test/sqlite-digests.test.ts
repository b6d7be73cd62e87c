import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createSqlite, openSqliteForLock, type SqliteDatabase } from '@outgrow/databases'
import { temporaryFolder } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { readCopy } from '../src/backup/sqlite/read-copy.ts'

/** The digest of a table of one file, by SQL that fills it. */
async function digestOf(...fill: string[]): Promise<string> {
  const path = join(temporaryFolder(), 'one.db')
  const database = createSqlite(path)
  for (const sql of fill) database.exec(sql)
  database.close()
  const { tables } = readCopy(path)
  return tables.find(({ name }) => name === 't')?.digest ?? ''
}

const valuesThatDiffer = [
  'NULL',
  "''",
  "x''",
  '0',
  '0.0',
  '-0.0',
  "'0'",
  "x'30'",
  '1',
  '1.0',
  "'1'",
  "x'31'",
  "'1.0'",
  "'a'",
  "'a' || char(0)",
  "'a' || char(0) || 'b'",
  "'a' || char(0) || 'c'",
  "' a'",
  "'A'",
  "CAST(x'ff' AS TEXT)",
  "CAST(x'fe' AS TEXT)",
  'char(65533)',
  "CAST(x'efbfbd00' AS TEXT)",
  "x'ff'",
  "x'fe'",
  '9007199254740992',
  '9007199254740993',
  '9007199254740992.0',
  '9223372036854775807',
  '9223372036854775806',
  '0.1',
  '0.30000000000000004',
  '0.3',
  '9e999',
  '-9e999',
  "'Inf'",
  '1e-320',
  '5e-324',
  "'é'",
  "'e' || char(769)",
  'zeroblob(3)',
  'zeroblob(4)',
  "x'000001'",
]

test('every value has a digest of its own, whatever its column was declared as', async () => {
  for (const type of ['', 'ANY']) {
    const digests = new Map<string, string>()
    for (const value of valuesThatDiffer) {
      const strict = type === 'ANY' ? 'STRICT' : ''
      const digest = await digestOf(
        `CREATE TABLE t (id INTEGER PRIMARY KEY, v ${type}) ${strict}`,
        `INSERT INTO t VALUES (1, ${value})`,
      )
      expect([value, digests.get(digest)]).toEqual([value, undefined])
      digests.set(digest, value)
    }
  }
})

const rows = "INSERT INTO t VALUES (1, 'a', 'b'), (2, 'c', 'd'), (3, 'e', 'f')"
const create = 'CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, w TEXT)'

test.each([
  ['a row that is missing', 'DELETE FROM t WHERE id = 2'],
  ['a row that is there twice', "INSERT INTO t VALUES (4, 'a', 'b')"],
  ['another rowid', 'UPDATE t SET id = 9 WHERE id = 2'],
  ['values that changed places in a row', 'UPDATE t SET v = w, w = v WHERE id = 2'],
  ['values that changed places between rows', "UPDATE t SET v = iif(id = 1, 'c', 'a') WHERE id < 3"],
  ['a letter that moved to the next column', "UPDATE t SET v = 'cd', w = '' WHERE id = 2"],
])('%s changes the digest', async (_, change) => {
  expect(await digestOf(create, rows, change)).not.toBe(await digestOf(create, rows))
})

test('the order of rows, and where they lie in the file, changes nothing', async () => {
  const expected = await digestOf(create, rows)
  const backwards = "INSERT INTO t VALUES (3, 'e', 'f'), (2, 'c', 'd'), (1, 'a', 'b')"
  expect(await digestOf('PRAGMA page_size = 512', create, backwards)).toBe(expected)
  expect(
    await digestOf(
      create,
      "INSERT INTO t VALUES (7, 'x', 'y')",
      rows,
      'DELETE FROM t WHERE id = 7',
      'VACUUM',
    ),
  ).toBe(expected)
})

test.each([
  [
    'without a rowid',
    'CREATE TABLE t (k TEXT PRIMARY KEY, v) WITHOUT ROWID',
    "INSERT INTO t VALUES ('a', 1)",
    'UPDATE t SET v = 2',
  ],
  [
    'whose columns take all names of the rowid',
    'CREATE TABLE t (rowid, _rowid_, oid)',
    'INSERT INTO t VALUES (1, 2, 3)',
    'UPDATE t SET oid = 4',
  ],
  [
    'with a stored column',
    'CREATE TABLE t (v, s AS (v || 1) STORED)',
    'INSERT INTO t (v) VALUES (1)',
    'UPDATE t SET v = 2',
  ],
  [
    'whose virtual column cannot be computed',
    'CREATE TABLE t (v)',
    "INSERT INTO t VALUES ('no json'); ALTER TABLE t ADD COLUMN x AS (json(v))",
    'DELETE FROM t',
  ],
])('a table %s has a digest of its rows', async (_, sql, insert, change) => {
  const digest = await digestOf(sql, insert)
  expect(digest).toMatch(/^[0-9a-f]{64}$/)
  expect(await digestOf(sql, insert)).toBe(digest)
  expect(await digestOf(sql, insert, change)).not.toBe(digest)
})

test('a table of very many columns has a digest of its rows', async () => {
  const sql = `CREATE TABLE t (${Array.from({ length: 1900 }, (_, at) => `c${at}`).join()})`
  const digest = await digestOf(sql, 'INSERT INTO t (c0, c1899) VALUES (1, 2)')
  expect(await digestOf(sql, "INSERT INTO t (c0, c1899) VALUES (1, '2')")).not.toBe(digest)
})

test('what only the application can check is said, and the rest is checked', async () => {
  const path = join(temporaryFolder(), 'one.db')
  const database = createSqlite(path)
  database.function('mine', { deterministic: true }, (value: unknown) => value)
  database.exec('CREATE TABLE t (v); CREATE INDEX i ON t (mine(v)); CREATE TABLE o (v UNIQUE)')
  database.exec('INSERT INTO t VALUES (1); INSERT INTO o VALUES (1), (2)')
  expect(readCopy(path)).toMatchObject({
    damage: [],
    notes: [expect.stringContaining('could not check t: ')],
  })
  const entry = "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_o_1'"
  const page = database.prepare(entry).pluck().get() as number
  database.close()
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, (page - 1) * 4096)
  closeSync(file)
  expect(readCopy(path).damage.length).toBeGreaterThan(0)
})

test('virtual tables are read where their rows are, and the schema is compared, too', async () => {
  const path = join(temporaryFolder(), 'one.db')
  const change = async (sql: string) => {
    const database = openSqliteForLock(path)
    database.exec(sql)
    database.close()
    return readCopy(path).tables
  }
  createSqlite(path).close()
  const made = await change(
    "CREATE VIRTUAL TABLE search USING fts5(body); CREATE VIRTUAL TABLE places USING rtree(id, a, b); INSERT INTO search VALUES ('x')",
  )
  const names = made.map(({ name }) => name)
  expect(names).toEqual(
    expect.arrayContaining(['sqlite_schema', 'search_content', 'search_data', 'places_node']),
  )
  expect(names).not.toContain('search')
  const changed = (after: typeof made) =>
    after.filter(({ digest }, at) => digest !== made[at]?.digest).map(({ name }) => name)
  expect(changed(await change("INSERT INTO search VALUES ('y')"))).toContain('search_content')
  expect(changed(await change('CREATE VIEW v AS SELECT 1'))).toContain('sqlite_schema')
})

test('a file whose pages are damaged is said to be, and the tables that can be read are read', async () => {
  const path = join(temporaryFolder(), 'one.db')
  const database: SqliteDatabase = createSqlite(path)
  database.exec(`${create}; ${rows}; CREATE TABLE big (v)`)
  database.exec(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO big SELECT hex(randomblob(40)) FROM n',
  )
  const page = database
    .prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'big'")
    .pluck()
    .get() as number
  database.close()
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, (page - 1) * 4096)
  closeSync(file)
  const { tables, damage } = readCopy(path)
  expect(damage.length).toBeGreaterThan(0)
  expect(tables.find(({ name }) => name === 'big')?.digest).toBe('unreadable')
  expect(tables.find(({ name }) => name === 't')?.digest).toBe(await digestOf(create, rows))
})
