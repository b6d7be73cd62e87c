import { openSqlite, openSqliteReadonly, readSourceTables, type SqliteDatabase } from '@outgrow/databases'
import { makeSqlite } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { capture, readCapturedTables, uncapture } from '../src/source/sqlite/live/capture.ts'
import { captureKey, captureProblems } from '../src/source/sqlite/live/capture-problems.ts'
import { pruneLog, readLogState } from '../src/source/sqlite/live/change-log.ts'
import { DirtyKeys } from '../src/source/sqlite/live/dirty.ts'

const target = { database: 'app', schema: 'public', system: null }
const options = { graduation: 'g1', target, epoch: 1, maxLog: 1000 }

function captured(sql: string, maxLog = 1000) {
  const path = makeSqlite(sql)
  const database = openSqlite(path)
  const tables = readSourceTables(database)
    .filter(({ owner }) => owner === undefined)
    .map((table, at) => ({
      number: at + 1,
      name: table.name,
      key: captureKey(database, table) ?? [],
    }))
  const schema = schemaOf(database)
  capture(database, tables, { ...options, maxLog })
  return { path, database, tables, schema, application: openSqlite(path) }
}

const schemaOf = (database: SqliteDatabase) =>
  database.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid').all()

const logOf = (database: SqliteDatabase) =>
  database.prepare('SELECT * FROM _outgrow_change WHERE tbl > 0 ORDER BY seq').raw().all() as unknown[][]

const users =
  'CREATE TABLE "User" (id TEXT NOT NULL PRIMARY KEY, email TEXT NOT NULL, name TEXT); CREATE UNIQUE INDEX "User_email_key" ON "User"(email)'

test('the keys of changed rows are logged, and those of rows that a REPLACE evicts', () => {
  const { database, application } = captured(users)
  application.exec(`INSERT INTO "User" VALUES ('a', 'a@x', 'A'), ('b', 'b@x', 'B')`)
  application.exec(`REPLACE INTO "User" VALUES ('c', 'a@x', 'C')`)
  application.exec(`UPDATE "User" SET id = 'd' WHERE id = 'c'`)
  application.exec(`UPDATE OR REPLACE "User" SET email = 'b@x' WHERE id = 'd'`)
  application.exec(`DELETE FROM "User"`)
  expect(logOf(database).map(([, , key]) => key)).toEqual(['a', 'b', 'a', 'c', 'c', 'd', 'b', 'd', 'd'])
})

test('what is rolled back leaves nothing in the log', () => {
  const { database, application } = captured(users)
  application.exec(`BEGIN; INSERT INTO "User" VALUES ('a', 'a@x', 'A'); ROLLBACK`)
  expect(logOf(database)).toEqual([])
})

test('uncapture leaves the schema as it was', () => {
  const { path, database, application, schema } = captured(users)
  application.exec(`INSERT INTO "User" VALUES ('a', 'a@x', 'A')`)
  expect(schemaOf(database)).not.toEqual(schema)
  uncapture(database)
  uncapture(database)
  expect(schemaOf(openSqlite(path))).toEqual(schema)
})

test('a capture begins once', () => {
  const { database, tables } = captured(users)
  expect(() => capture(database, tables, options)).toThrow(
    expect.objectContaining({ code: 'OUTGROW_CAPTURE_ACTIVE' }),
  )
  expect(readCapturedTables(database)).toEqual(tables)
})

test('a full log drops what comes, and says so for good', () => {
  const { database, application } = captured('CREATE TABLE t (id INTEGER PRIMARY KEY, v)', 10)
  const insert = application.prepare('INSERT INTO t (v) VALUES (1)')
  for (let at = 0; at < 9; at++) insert.run()
  expect(readLogState(database)).toEqual({
    newest: 10,
    applied: 1,
    limit: 11,
    overflowed: false,
    entries: 10,
  })
  expect(pruneLog(database, 8, 100)).toBe(8)
  expect(readLogState(database)).toEqual({
    newest: 10,
    applied: 8,
    limit: 18,
    overflowed: false,
    entries: 2,
  })
  expect(pruneLog(database, 10, 100)).toBe(1)
  for (let at = 0; at < 40; at++) insert.run()
  expect(readLogState(database)).toMatchObject({ newest: 20, limit: 20, overflowed: true, entries: 11 })
  expect(() => pruneLog(database, 15, 100)).toThrow(
    expect.objectContaining({ code: 'OUTGROW_CAPTURE_OVERFLOWED' }),
  )
  expect(application.prepare('SELECT count(*) FROM t').pluck().get()).toBe(49)
})

test('a change whose evicted rows cannot be computed counts every row, and fills the log at most', () => {
  const table = `CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL DEFAULT 'd' UNIQUE)`
  const { database, application } = captured(table, 30)
  application.exec(
    `INSERT INTO t (a) SELECT value FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]')`,
  )
  application.exec('INSERT OR IGNORE INTO t (a) VALUES (1)')
  expect(readLogState(database).newest).toBe(22)
  application.exec('REPLACE INTO t (a) VALUES (NULL)')
  expect(readLogState(database)).toMatchObject({ newest: 31, limit: 31, overflowed: true })
})

test('dirty keys are distinct and exact', () => {
  const { path, database, application, tables } = captured(
    `CREATE TABLE a (k PRIMARY KEY); CREATE TABLE b (x TEXT COLLATE NOCASE, y INTEGER NOT NULL, PRIMARY KEY (x, y)) WITHOUT ROWID`,
  )
  application.exec(`INSERT INTO a VALUES (1), (9007199254740993), (x'00ff'), (CAST(x'6100ff' AS TEXT)), ('1'); REPLACE INTO a VALUES (1.0);
    INSERT INTO b VALUES ('a', 1); DELETE FROM b; INSERT INTO b VALUES ('A', 1)`)
  const reader = openSqliteReadonly(path)
  const dirty = new DirtyKeys(reader, tables)
  const { newest } = readLogState(database)
  reader.exec('BEGIN')
  expect(dirty.collect(1, newest)).toEqual(
    new Map([
      [1, 6],
      [2, 2],
    ]),
  )
  expect(
    reader.prepare('SELECT typeof(k1) || hex(k1) FROM temp._outgrow_dirty_1 ORDER BY 1').pluck().all(),
  ).toEqual(
    [
      'integer31',
      'integer39303037313939323534373430393933',
      'real312E30',
      'blob00FF',
      'text6100FF',
      'text31',
    ].toSorted(),
  )
  expect(reader.prepare('SELECT * FROM temp._outgrow_dirty_2').raw().all()).toEqual([
    ['a', 1],
    ['A', 1],
  ])
  reader.exec('ROLLBACK')
  reader.exec('BEGIN')
  expect(dirty.collect(newest - 1, newest)).toEqual(new Map([[2, 1]]))
  expect(reader.prepare('SELECT count(*) FROM temp._outgrow_dirty_1').pluck().get()).toBe(0)
})

test('a row without a key stops whoever follows', () => {
  const { path, application, tables } = captured('CREATE TABLE t (id TEXT PRIMARY KEY)')
  application.exec('INSERT INTO t VALUES (NULL)')
  const reader = openSqliteReadonly(path)
  const dirty = new DirtyKeys(reader, tables)
  expect(() => dirty.collect(1, 100)).toThrow(expect.objectContaining({ code: 'OUTGROW_KEY_NULL' }))
})

const problems: [string, string, string[]][] = [
  ['no key', 'CREATE TABLE t (a)', ['OUTGROW_LIVE_NO_KEY']],
  [
    'rows with NULL in the key',
    'CREATE TABLE t (a TEXT PRIMARY KEY); INSERT INTO t VALUES (NULL)',
    ['OUTGROW_LIVE_KEY_NULL'],
  ],
  ['a nullable key without NULL', 'CREATE TABLE t (a TEXT PRIMARY KEY); INSERT INTO t VALUES (1)', []],
  [
    'a unique key instead',
    'CREATE TABLE t (a PRIMARY KEY, b NOT NULL UNIQUE); INSERT INTO t VALUES (NULL, 1)',
    [],
  ],
  ['a virtual table', 'CREATE VIRTUAL TABLE t USING fts5(a)', ['OUTGROW_LIVE_VIRTUAL_TABLE']],
  [
    'journal mode',
    'CREATE TABLE t (a PRIMARY KEY); PRAGMA journal_mode = DELETE',
    ['OUTGROW_LIVE_JOURNAL_MODE'],
  ],
  [
    'names',
    'CREATE TABLE t (a PRIMARY KEY); CREATE VIEW _Outgrow_x AS SELECT 1; CREATE TABLE _graduated_t (a PRIMARY KEY)',
    ['OUTGROW_LIVE_NAME_TAKEN', 'OUTGROW_LIVE_NAME_TAKEN'],
  ],
  [
    'replication',
    'CREATE TABLE t (a PRIMARY KEY); CREATE TABLE t__crsql_clock (a PRIMARY KEY)',
    ['OUTGROW_LIVE_REPLICATED'],
  ],
  ['Litestream', 'CREATE TABLE t (a PRIMARY KEY); CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY)', []],
]

test.each(problems)('problems: %s', (_, sql, codes) => {
  const database = openSqliteReadonly(makeSqlite(sql))
  const tables = readSourceTables(database).filter(({ owner }) => owner === undefined)
  expect(captureProblems(tables, database).map(({ code }) => code)).toEqual(codes)
})

/** What is there, what is done to it, and keys that must be logged by that. */
const evictions: [string, string, string, string, unknown[]][] = [
  [
    'an expression',
    't (id TEXT PRIMARY KEY, a); CREATE UNIQUE INDEX i ON t(lower(a))',
    `('1', 'X'), ('2', 'y')`,
    `UPDATE OR REPLACE t SET a = 'x' WHERE id = '2'`,
    ['1', '2'],
  ],
  [
    'the condition of an index',
    't (id TEXT PRIMARY KEY, a, b); CREATE UNIQUE INDEX i ON t(a) WHERE b = 1',
    `('1', 'x', 1), ('2', 'x', 0)`,
    `UPDATE OR REPLACE t SET b = 1 WHERE id = '2'`,
    ['1', '2'],
  ],
  [
    'a generated column',
    't (id TEXT PRIMARY KEY, a, g AS (lower(a)) VIRTUAL UNIQUE)',
    `('1', 'X'), ('2', 'y')`,
    `UPDATE OR REPLACE t SET a = 'x' WHERE id = '2'`,
    ['1', '2'],
  ],
  [
    'another collation',
    't (id TEXT PRIMARY KEY, a); CREATE UNIQUE INDEX i ON t(a COLLATE RTRIM)',
    `('1', 'x ')`,
    `REPLACE INTO t VALUES ('2', 'x')`,
    ['1', '2'],
  ],
  [
    'the collation of the key',
    't (id TEXT PRIMARY KEY COLLATE NOCASE, a)',
    `('a', 1)`,
    `REPLACE INTO t VALUES ('A', 2)`,
    ['a', 'A'],
  ],
  [
    'a clause of the constraint',
    't (id TEXT PRIMARY KEY, a UNIQUE ON CONFLICT REPLACE)',
    `('1', 1)`,
    `INSERT INTO t VALUES ('2', 1)`,
    ['1', '2'],
  ],
  [
    'the rowid of an INSERT',
    't (id TEXT PRIMARY KEY, a)',
    `('1', 1)`,
    `REPLACE INTO t (rowid, id) VALUES (1, '2')`,
    ['1', '2'],
  ],
  [
    'the rowid of an UPDATE',
    't (id TEXT PRIMARY KEY, a)',
    `('1', 1), ('2', 2)`,
    `UPDATE OR REPLACE t SET _rowid_ = 1 WHERE id = '2'`,
    ['1', '2'],
  ],
  [
    'a rowid of -1',
    't (id TEXT PRIMARY KEY, a); INSERT INTO t (rowid, id) VALUES (-1, 1)',
    `('2', 1)`,
    `REPLACE INTO t (rowid, id) VALUES (-1, '3')`,
    ['1', '3'],
  ],
  [
    'a rowid that the key is',
    't (id INTEGER PRIMARY KEY, a UNIQUE)',
    `(1, 1), (2, 2)`,
    `UPDATE OR REPLACE t SET oid = 7, a = 1 WHERE id = 2`,
    [1, 2, 7],
  ],
  [
    'the default of a column that is never NULL',
    `t (id TEXT PRIMARY KEY, a TEXT NOT NULL DEFAULT 'd' UNIQUE)`,
    `('1', 'd')`,
    `REPLACE INTO t VALUES ('2', NULL)`,
    ['1', '2'],
  ],
  [
    'a default in an expression',
    `t (id TEXT PRIMARY KEY, a TEXT NOT NULL DEFAULT 'd'); CREATE UNIQUE INDEX i ON t(upper(a))`,
    `('1', 'd'), ('2', 'e')`,
    `UPDATE OR REPLACE t SET a = NULL WHERE id = '2'`,
    ['1', '2'],
  ],
  [
    'another type of the same number',
    't (id PRIMARY KEY, a)',
    `(1, 1)`,
    `REPLACE INTO t VALUES (1.0, 2)`,
    [1, 1.0],
  ],
  [
    'the least integer as a real',
    't (id INT PRIMARY KEY, a)',
    `(-9223372036854775808, 1)`,
    `REPLACE INTO t VALUES (-9223372036854775808.0, 2)`,
    [-(2 ** 63), -(2 ** 63)],
  ],
  [
    'a key of a table without a rowid',
    't (id TEXT PRIMARY KEY, a UNIQUE) WITHOUT ROWID',
    `('1', 1)`,
    `REPLACE INTO t VALUES ('2', 1)`,
    ['1', '2'],
  ],
  [
    'a cascade',
    't (id TEXT PRIMARY KEY, a UNIQUE, up REFERENCES t ON DELETE CASCADE)',
    `('1', 1, NULL), ('2', 2, '1'), ('3', 3, '2')`,
    `REPLACE INTO t VALUES ('4', 1, NULL)`,
    ['1', '2', '3', '4'],
  ],
]

test.each(evictions)('evicted by %s', (_, table, rows, change, keys) => {
  for (const recursive of [0, 1]) {
    const { database, application } = captured(`CREATE TABLE ${table}`)
    application.pragma(`recursive_triggers = ${recursive}`)
    application.exec(`INSERT INTO t VALUES ${rows}`)
    const { newest } = readLogState(database)
    application.exec(change)
    const logged = database
      .prepare('SELECT DISTINCT k1, typeof(k1) FROM _outgrow_change WHERE seq > ? ORDER BY k1')
      .pluck()
      .all(newest)
    expect(logged.map(String).toSorted()).toEqual(keys.map(String).toSorted())
  }
})
