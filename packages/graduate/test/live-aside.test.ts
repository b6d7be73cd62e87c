import { openSqlite, readSourceTables, writeAuthority, type SqliteDatabase } from '@outgrow/databases'
import { makeSqlite } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { capture, uncapture } from '../src/source/sqlite/live/capture.ts'
import { captureKey } from '../src/source/sqlite/live/capture-problems.ts'
import { prepareAside, prepareReturn } from '../src/source/sqlite/live/put-aside.ts'

const target = { database: 'app', schema: 'public', system: null }

const rowsOf = (database: SqliteDatabase) =>
  database.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid').all() as {
    type: string
    name: string
    sql: string
  }[]

const schema = `
  CREATE TABLE "User" (id TEXT NOT NULL PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE, age INTEGER CHECK ("User".age > 0),
    lower TEXT AS (lower(email)) STORED, "managerId" TEXT REFERENCES "User" (id) ON DELETE SET NULL);
  CREATE UNIQUE INDEX "User_lower" ON "User"(lower(email)) WHERE "User".age IS NOT NULL;
  CREATE TABLE Post (id INTEGER PRIMARY KEY AUTOINCREMENT, author TEXT REFERENCES User ON DELETE CASCADE ON UPDATE CASCADE, title);
  CREATE TABLE "Post_" (post INTEGER NOT NULL REFERENCES Post, tag TEXT NOT NULL, PRIMARY KEY (post, tag)) WITHOUT ROWID;
  CREATE TABLE "left" (id INTEGER PRIMARY KEY, post REFERENCES Post (id));
  CREATE TRIGGER "post added" AFTER INSERT ON Post BEGIN UPDATE "User" SET age = coalesce(age, 0) + 1 WHERE id = NEW.author; END;
  CREATE VIEW posts AS SELECT * FROM Post JOIN "User" ON author = "User".id;
  CREATE VIRTUAL TABLE search USING fts5(title);
  CREATE INDEX "Post_author" ON Post(author);
  INSERT INTO "User" (id, email) VALUES ('a', 'a@x'), ('b', 'b@x'); INSERT INTO Post (author, title) VALUES ('a', 'x'), ('b', 'y');
  INSERT INTO Post_ VALUES (1, 't'); INSERT INTO search VALUES ('hello')`

const names = ['User', 'Post', 'Post_']

function capturedFile() {
  const path = makeSqlite(schema)
  const database = openSqlite(path)
  const before = rowsOf(database)
  const tables = readSourceTables(database)
    .filter(({ name }) => names.includes(name))
    .map((table, at) => ({ number: at + 1, name: table.name, key: captureKey(database, table) ?? [] }))
  capture(database, tables, { graduation: 'g', target, epoch: 1, maxLog: 1000 })
  return { path, database, before, captured: rowsOf(database), application: openSqlite(path) }
}

function putAside(database: SqliteDatabase, commit = true) {
  const aside = prepareAside(database, names)
  database.exec('BEGIN IMMEDIATE')
  writeAuthority(database, { side: 'postgres', epoch: 2, state: 'switched', target, graduation: 'g' })
  aside.apply(database)
  database.exec(commit ? 'COMMIT' : 'ROLLBACK')
}

const moved = 'no such table: main._outgrow_moved'

test('every statement of another connection fails, and does nothing', () => {
  const { database, application } = capturedFile()
  const prepared = [
    'SELECT * FROM Post',
    'SELECT * FROM posts',
    'SELECT count(*) FROM main."User" AS u',
    `INSERT INTO Post (title) VALUES ('z')`,
    `REPLACE INTO Post (id, title) VALUES (1, 'z')`,
    `INSERT OR IGNORE INTO Post (id) VALUES (9)`,
    `INSERT INTO Post (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET title = 'z'`,
    `INSERT INTO Post (id) VALUES (7) RETURNING id`,
    `UPDATE Post SET title = 'z'`,
    'DELETE FROM Post',
    'WITH gone AS (SELECT 1) DELETE FROM "User" WHERE id IN gone',
  ].map((sql) => application.prepare(sql))
  const unprepared = prepared.map(({ source }) => source)
  putAside(database)
  for (const statement of prepared)
    expect(() => (statement.reader ? statement.all() : statement.run())).toThrow(moved)
  for (const sql of unprepared) expect(() => application.prepare(sql)).toThrow(moved)
  application.exec('CREATE TABLE IF NOT EXISTS Post (id INTEGER PRIMARY KEY)')
  expect(() => application.exec('CREATE TABLE Post (id INTEGER PRIMARY KEY)')).toThrow('already exists')
  // What is not moved refers to what is: that fails too.
  application.pragma('foreign_keys = ON')
  expect(application.prepare('SELECT count(*) FROM _graduated_Post').pluck().get()).toBe(2)
  expect(application.prepare(`SELECT count(*) FROM search WHERE search MATCH 'hello'`).pluck().get()).toBe(1)
})

test('tables put aside keep their keys, checks, counters and references', () => {
  const { database } = capturedFile()
  putAside(database)
  database.pragma('foreign_keys = ON')
  const run = (sql: string) => database.prepare(sql).run()
  expect(database.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }])
  expect(database.pragma('foreign_key_check')).toEqual([])
  expect(() => run(`INSERT INTO _graduated_User (id, email) VALUES ('c', 'A@x')`)).toThrow('UNIQUE')
  expect(() => run(`INSERT INTO _graduated_User (id, email) VALUES ('a', 'c@x')`)).toThrow('UNIQUE')
  expect(() => run(`INSERT INTO _graduated_User (id, email, age) VALUES ('c', 'c@x', 0)`)).toThrow('CHECK')
  expect(() => run(`INSERT INTO _graduated_Post (author) VALUES ('nobody')`)).toThrow('FOREIGN KEY')
  run('DELETE FROM _graduated_Post_')
  run('DELETE FROM _graduated_Post')
  expect(run(`INSERT INTO _graduated_Post (author) VALUES ('a')`).lastInsertRowid).toBe(3)
  expect(database.prepare('SELECT age FROM _graduated_User').pluck().all()).toEqual([1, 1])
  run(`UPDATE _graduated_User SET id = 'z', "managerId" = 'b' WHERE id = 'a'`)
  expect(database.prepare('SELECT author FROM _graduated_Post').pluck().all()).toEqual(['z'])
  run(`DELETE FROM _graduated_User`)
  expect(database.prepare('SELECT count(*) FROM _graduated_Post').pluck().get()).toBe(0)
  run('INSERT INTO "left" VALUES (1, NULL)')
  expect(() => run('INSERT INTO "left" VALUES (2, 99)')).toThrow('FOREIGN KEY')
  expect(
    database.prepare(`EXPLAIN QUERY PLAN SELECT 1 FROM _graduated_Post WHERE author = 'a'`).get(),
  ).toMatchObject({ detail: expect.stringContaining('Post_author') as string })
})

test('a rehearsal that is rolled back leaves the connection and the file as they were', () => {
  const { database, application, captured } = capturedFile()
  const insert = database.prepare(`INSERT INTO Post (author, title) VALUES ('a', 'n')`)
  insert.run()
  for (let time = 0; time < 3; time++) {
    putAside(database, false)
    insert.run()
    expect(database.prepare('SELECT count(*) FROM posts').pluck().get()).toBe(4 + time)
    expect(rowsOf(database)).toEqual(captured)
    expect(rowsOf(application)).toEqual(captured)
  }
  // Its own schema is not taken for another's.
  putAside(database, false)
  application.exec('CREATE TABLE another (id)')
  expect(database.prepare('SELECT count(*) FROM another').pluck().get()).toBe(0)
  expect(database.prepare('SELECT count(*) FROM Post').pluck().get()).toBe(6)
})

test('a schema that changed since is not overwritten', () => {
  const { database, application } = capturedFile()
  const aside = prepareAside(database, names)
  application.exec('ALTER TABLE Post ADD COLUMN more')
  database.exec('BEGIN IMMEDIATE')
  expect(() => aside.apply(database)).toThrow(
    expect.objectContaining({ code: 'OUTGROW_SCHEMA_CHANGED_LIVE' }),
  )
  database.exec('ROLLBACK')
  expect(() => aside.apply(database)).toThrow('inside of a transaction')
  expect(() => prepareAside(database, ['search'])).toThrow(
    expect.objectContaining({ code: 'OUTGROW_SCHEMA_CHANGED_LIVE' }),
  )
})

test.each([
  ['another process', false, true],
  ['another process, after a VACUUM', true, true],
  ['without the capture', true, false],
])('the way back, by %s, restores the schema row for row', (_, vacuum, withCapture) => {
  const { path, database, application, before, captured } = capturedFile()
  putAside(database)
  expect(() => uncapture(database)).toThrow('still aside')
  database.close()
  const other = openSqlite(path)
  other.pragma('foreign_keys = OFF')
  other.exec(`INSERT INTO _graduated_Post (author, title) VALUES ('b', 'later')`)
  if (vacuum) other.exec('VACUUM')
  const back = prepareReturn(other, { capture: withCapture })
  other.exec('BEGIN IMMEDIATE')
  back.apply(other)
  other.exec('COMMIT')
  const machinery = captured.filter(({ type, name }) => !(type === 'trigger' && name.startsWith('_outgrow_')))
  expect(rowsOf(application)).toEqual(withCapture ? captured : machinery)
  expect(other.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }])
  application.exec(`INSERT INTO Post (author, title) VALUES ('a', 'fires')`)
  expect(application.prepare('SELECT max(id) FROM Post').pluck().get()).toBe(4)
  expect(application.prepare(`SELECT age FROM "User" WHERE id = 'a'`).pluck().get()).toBe(2)
  uncapture(other)
  expect(rowsOf(application)).toEqual(before)
})

test('what was made meanwhile stays, unless it is on a table that was put aside', () => {
  const { database, captured } = capturedFile()
  putAside(database)
  database.exec('CREATE TABLE later (id INTEGER PRIMARY KEY); CREATE INDEX later_id ON later(id)')
  const back = prepareReturn(database, { capture: true })
  database.exec('BEGIN IMMEDIATE')
  back.apply(database)
  database.exec('ROLLBACK')
  database.exec('CREATE INDEX mine ON _graduated_Post(title)')
  const changed = expect.objectContaining({ code: 'OUTGROW_SCHEMA_CHANGED_LIVE' }) as Error
  expect(() => prepareReturn(database, { capture: true })).toThrow(changed)
  database.exec('DROP INDEX mine; BEGIN IMMEDIATE')
  prepareReturn(database, { capture: true }).apply(database)
  database.exec('COMMIT')
  expect(rowsOf(database).slice(0, captured.length)).toEqual(captured)
  expect(
    rowsOf(database)
      .slice(captured.length)
      .map(({ name }) => name),
  ).toEqual(['later', 'later_id'])
})
