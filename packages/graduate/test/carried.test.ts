import { shortName } from '@outgrow/databases'
import { pullSchema, schemaSourceOf } from '@outgrow/schema'
import { makeSqlite, temporaryFolder, type TestDatabase } from '@outgrow/testing'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { inspectSource, refusedTypes, type MoveOptions } from '../src/index.ts'
import { emptyTarget, move, plainOptions, sqliteSchema, verifyMove } from './move.ts'

/** Moves a file that nobody wrote for Prisma. */
async function moveForeign(sql: string, options: Partial<MoveOptions> = {}) {
  const from = makeSqlite(sql)
  const target = await emptyTarget()
  const result = await move(from, target.url, pullSchema(from, refusedTypes).text, options)
  return { from, target, result }
}

const told = (findings: { code: string; reason: string }[]) =>
  findings.map(({ code, reason }) => `${code} ${reason.replace(/: .*/s, '')}`)

async function refuses(target: TestDatabase, sql: string, constraint: string): Promise<void> {
  await expect(target.query(sql)).rejects.toThrow(constraint)
}

test('what the file lets no row break, Postgres lets no row break', async () => {
  const { target, result } = await moveForeign(`
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL COLLATE NOCASE UNIQUE, name TEXT, age INT CHECK (age BETWEEN 0 AND 150),
      active BOOLEAN NOT NULL DEFAULT 1 CHECK (active IN (0, 1)), role TEXT NOT NULL DEFAULT 'user' CONSTRAINT known_role CHECK (role IN ('user', 'admin') AND length(role) > 2),
      doc JSON CHECK (json_valid(doc)), label TEXT, site TEXT CHECK (site IS NULL OR site LIKE 'HTTP%' AND site NOT GLOB '* *'));
    CREATE UNIQUE INDEX one_admin ON users(role) WHERE role = 'admin';
    CREATE UNIQUE INDEX by_name ON users(lower(name));
    CREATE UNIQUE INDEX by_site ON users(site COLLATE NOCASE, age DESC) WHERE site IS NOT NULL;
    CREATE UNIQUE INDEX by_label ON users(label COLLATE NOCASE);
    CREATE INDEX adults ON users(age) WHERE age >= 18;
    CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
      starts INTEGER, ends INTEGER, CHECK (starts < ends));
    INSERT INTO users (id, email, name, age, role, doc, site) VALUES (1, 'Ada@x.io', 'Ada', 30, 'admin', '{}', 'http://a'), (2, 'Ä@x.io', 'ÄDA', 20, 'user', NULL, NULL);
    INSERT INTO posts VALUES (1, 1, 1, 2)`)
  expect(result.findings).toEqual([])
  const insert = (columns: string, values: string) =>
    `INSERT INTO users (id, email, ${columns}) VALUES (9, 'new@x.io', ${values})`
  await refuses(target, "INSERT INTO users (id, email) VALUES (9, 'ADA@X.IO')", 'users_email_key')
  await target.query("INSERT INTO users (id, email, name) VALUES (3, 'ä@x.io', 'äda')") // SQLite folds ASCII only
  await refuses(target, insert('age', '151'), 'users_check')
  await refuses(target, insert('role', "'root'"), 'known_role')
  await refuses(target, insert('role', "'admin'"), 'one_admin')
  await refuses(target, insert('name', "'ADA'"), 'by_name')
  await refuses(target, insert('site, age', "'HTTP://A', 30"), 'by_site')
  await target.query("UPDATE users SET label = 'Label' WHERE id = 1")
  await refuses(target, insert('label', "'LABEL'"), 'by_label')
  await refuses(target, insert('site', "'ftp://a'"), 'users_check')
  await refuses(target, insert('site', "'http://a b'"), 'users_check')
  await refuses(target, 'INSERT INTO posts VALUES (2, 1, 3, 3)', 'posts_check')
  await target.query('BEGIN; INSERT INTO posts VALUES (5, 77, 1, 2); DELETE FROM posts WHERE id = 5; COMMIT') // checked at COMMIT only
  await refuses(target, 'INSERT INTO posts VALUES (6, 77, 1, 2)', 'posts_user_id_fkey')
  expect(await target.query("SELECT indexdef FROM pg_indexes WHERE indexname = 'adults'")).toHaveLength(1)
  await target.drop()
})

test('defaults, generated columns, dates and views come along; the history has them too', async () => {
  const { from, target, result } = await moveForeign(`
    CREATE TABLE lines (id INTEGER PRIMARY KEY, label TEXT NOT NULL, qty INTEGER NOT NULL DEFAULT (1 + 1), price INTEGER, day DATE DEFAULT CURRENT_DATE, at DATETIME DEFAULT (datetime('now')),
      made INTEGER DEFAULT (unixepoch()), total INTEGER GENERATED ALWAYS AS (qty * price) STORED, shout TEXT AS (upper(label) || '!') VIRTUAL, tag TEXT DEFAULT 5, raw BLOB DEFAULT x'0aff');
    CREATE VIEW big_lines (id, sum) AS SELECT l.id, l.total FROM lines AS l WHERE l.total > 10;
    INSERT INTO lines (id, label, qty, price, day) VALUES (1, 'äb', 3, 4, '2024-02-29'), (2, 'c', 3, NULL, '1999-12-31');
  `)
  expect(result.findings).toEqual([])
  expect(
    await target.query(
      'SELECT id, total, shout, day::text, pg_typeof(day)::text AS type FROM lines ORDER BY id',
    ),
  ).toEqual([
    { id: 1, total: '12', shout: 'äB!', day: '2024-02-29', type: 'date' },
    { id: 2, total: null, shout: 'C!', day: '1999-12-31', type: 'date' },
  ])
  expect(await target.query('SELECT * FROM big_lines')).toEqual([{ id: 1, sum: '12' }])
  await target.query("INSERT INTO lines (id, label) VALUES (3, 'x')")
  expect(
    await target.query(
      "SELECT qty, day = current_date AS today, at > now() - interval '1 day' AS now, made > 1.7e9 AS made, tag, encode(raw, 'hex') AS raw FROM lines WHERE id = 3",
    ),
  ).toEqual([{ qty: 2, today: true, now: true, made: true, tag: '5', raw: '0aff' }])
  const history = readFileSync(join(dirname(from), 'postgres/migrations/0_init/migration.sql'), 'utf8')
  const again = await emptyTarget()
  await again.query(history)
  expect(await again.query('SELECT * FROM big_lines')).toEqual([])
  await Promise.all([target.drop(), again.drop()])
})

const lossy = `
  CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT DEFAULT (lower(hex(randomblob(4)))), c REAL, d TEXT COLLATE NOCASE,
    x AS (typeof(a)), CHECK (typeof(a) = 'text'), CHECK (a REGEXP 'x' OR 1));
  CREATE UNIQUE INDEX odd ON t(json_extract(a, '$.k'));
  CREATE VIEW v AS SELECT group_concat(a) FROM t;
  CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET a = 'x'; END;`

test('what Postgres cannot say is named with its SQL, by inspect as by migrate, until it is left behind by name', async () => {
  const sql = lossy.replace("CHECK (a REGEXP 'x' OR 1)", "CHECK (c IS NOT 'x')")
  const { from, target, result } = await moveForeign(sql)
  const expected = [
    'OUTGROW_OBJECT_LEFT the default t.b is not in the target',
    'OUTGROW_OBJECT_LEFT the generated column t.x is not in the target',
    'OUTGROW_CONSTRAINT_LOST the unique index odd is not in the target',
    'OUTGROW_CONSTRAINT_LOST the check t_check1 is not in the target',
    'OUTGROW_CONSTRAINT_LOST the check t_check2 is not in the target',
    'OUTGROW_OBJECT_LEFT the view v is not in the target',
    'OUTGROW_OBJECT_LEFT the trigger g is not in the target',
  ]
  expect(told(result.findings)).toEqual(expected)
  expect(result.findings.at(-1)?.excerpt).toContain('CREATE TRIGGER g')
  const { findings } = await inspectSource({
    from,
    at: { url: inject('postgresUrl'), isScratch: true },
    schema: schemaSourceOf(pullSchema(from, refusedTypes).text, temporaryFolder()),
    options: plainOptions,
    progress: () => {},
    signal: new AbortController().signal,
  })
  expect(told(findings)).toEqual(expected)
  const other = await moveForeign(sql, {
    skipObjects: new Set(['t.x', 't.b', 'odd', 't_check1', 't_check2', 'v', 'g']),
  })
  expect(other.result.findings).toEqual([])
  await Promise.all([target.drop(), other.target.drop()])
})

test('a generated column that Postgres computes otherwise stops the move', async () => {
  const sql =
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER AS (length(a)) STORED); INSERT INTO t (id, a) VALUES (1, 'x'), (2, x'c3a9')"
  await expect(moveForeign(sql)).rejects.toMatchObject({
    result: { findings: [{ code: 'OUTGROW_GENERATED_DIFFERS', table: 't', column: 'b' }] },
  })
})

test('what a project’s own migrations do not make is named with the statement for a migration', async () => {
  const schema = sqliteSchema('model T {\n  id Int @id\n  email String\n}')
  const from = makeSqlite(
    'CREATE TABLE "T" (id INTEGER NOT NULL PRIMARY KEY, email TEXT NOT NULL COLLATE NOCASE); CREATE UNIQUE INDEX e ON "T"(email)',
  )
  const target = await emptyTarget()
  await target.query('CREATE TABLE "T" (id int PRIMARY KEY, email text NOT NULL)')
  const { findings } = await move(from, target.url, schema)
  expect(findings.map(({ code, fixes }) => [code, fixes[0]?.replace(/"_outgrow\w+"/, 's')])).toEqual([
    [
      'OUTGROW_CONSTRAINT_LOST',
      'add to a Postgres migration: CREATE UNIQUE INDEX "e" ON "T" ((lower("email" COLLATE "C")))',
    ],
  ])
  await target.drop()
})

test('a table that only looks like a shadow table is moved, and a search index with its own rows is one', async () => {
  const { target, result } = await moveForeign(`
    CREATE VIRTUAL TABLE search USING fts5(title, body UNINDEXED);
    CREATE TABLE search_history (id INTEGER PRIMARY KEY, q TEXT); CREATE TABLE posts (id INTEGER PRIMARY KEY, text TEXT);
    CREATE TABLE other_content (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO other_content VALUES (3, 'o');
    CREATE VIRTUAL TABLE over_posts USING fts5(text, content='posts', content_rowid='id');
    CREATE VIRTUAL TABLE other USING fts5(text, content='other_content');
    CREATE VIRTUAL TABLE places USING rtree(id, min_x, xmax, +name TEXT);
    CREATE VIRTUAL TABLE only_terms USING fts5(text, content='');
    INSERT INTO search (rowid, title, body) VALUES (7, 'Found', 'text'), (9007199254740993, 'far', NULL);
    INSERT INTO search_history VALUES (1, 'q'); INSERT INTO posts VALUES (1, 'p');
    INSERT INTO places VALUES (1, 0.5, 2, 'home'); INSERT INTO only_terms (rowid, text) VALUES (1, 'x');`)
  expect(await target.query('SELECT rowid, title, body FROM search ORDER BY rowid')).toEqual([
    { rowid: '7', title: 'Found', body: 'text' },
    { rowid: '9007199254740993', title: 'far', body: null },
  ])
  expect(await target.query('SELECT * FROM search_history')).toEqual([{ id: 1, q: 'q' }])
  expect(await target.query('SELECT * FROM other_content')).toEqual([{ id: 3, text: 'o' }])
  expect(await target.query('SELECT * FROM places')).toEqual([
    { id: 1, min_x: 0.5, xmax_data: 2, name: 'home' },
  ])
  expect(result.findings).toMatchObject([{ code: 'OUTGROW_OBJECT_LEFT', table: 'only_terms', count: 1 }])
  expect(result.notes).toContain('over_posts stays behind: a search index (fts5) over posts (1 rows).')
  expect(result.notes.find((note) => note.startsWith('search '))).toContain('tsvector')
  await target.drop()
})

test('a file without tables is refused', async () => {
  const target = await emptyTarget()
  await expect(
    move(makeSqlite(''), target.url, sqliteSchema('model T {\n  id Int @id\n}')),
  ).rejects.toMatchObject({
    code: 'OUTGROW_SOURCE_EMPTY',
  })
  await target.drop()
})

test('what has longer names than Postgres keeps arrives under short ones, in any alphabet', async () => {
  const name = '名'.repeat(40)
  const { from, target } = await moveForeign(
    `CREATE TABLE "${name}1" (id INTEGER PRIMARY KEY, "${name}1" TEXT, "${name}2" TEXT);
     CREATE TABLE "${name}2" (id INTEGER PRIMARY KEY, "${name}" TEXT COLLATE NOCASE UNIQUE);
     INSERT INTO "${name}1" VALUES (1, 'a', 'b'); INSERT INTO "${name}2" VALUES (1, 'c')`,
  )
  const checked = await verifyMove(from, target.url, pullSchema(from, refusedTypes).text)
  expect([checked.findings, checked.tables.map(({ digestMatch }) => digestMatch)]).toEqual([[], [true, true]])
  const tables = await target.query(
    "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relname LIKE '名%' ORDER BY 1",
  )
  expect(tables).toHaveLength(2)
  await refuses(
    target,
    `INSERT INTO "${String(tables.find((one) => one.name === shortName(`${name}2`))?.name)}" VALUES (2, 'C')`,
    'duplicate key',
  )
  await target.drop()
})

test('verify names what of the structure is gone since, and a counter that stands too low', async () => {
  const { from, target } = await moveForeign(
    'CREATE TABLE p (id INTEGER PRIMARY KEY, k TEXT UNIQUE); CREATE TABLE c (id INTEGER PRIMARY KEY, pk INTEGER REFERENCES p(id)); INSERT INTO p VALUES (5, 1); INSERT INTO c VALUES (1, 5)',
  )
  const { text } = pullSchema(from, refusedTypes)
  expect((await verifyMove(from, target.url, text)).findings).toEqual([])
  await target.query(
    'ALTER TABLE c DROP CONSTRAINT c_pk_fkey; DROP INDEX "p_k_key"; ALTER TABLE c ALTER COLUMN id DROP DEFAULT',
  )
  await target.query("SELECT setval('p_id_seq', 2)")
  expect(
    (await verifyMove(from, target.url, text)).findings.map(({ code, table }) => `${code} ${table}`),
  ).toEqual([
    'OUTGROW_COUNTER_BEHIND p',
    'OUTGROW_STRUCTURE_MISSING public.c.id',
    'OUTGROW_STRUCTURE_MISSING public.c.c_pk_fkey',
    'OUTGROW_STRUCTURE_MISSING public.p.public.p_k_key',
  ])
  await target.drop()
})

test('keys over computed columns, and what folds case on one side only, mean what they meant', async () => {
  const { target, result } = await moveForeign(`
    CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, g INT AS (a * 2) UNIQUE NOT NULL, half REAL AS (a * 1.5),
      status TEXT COLLATE NOCASE NOT NULL CHECK (status IN ('Active', 'Done')), code TEXT COLLATE NOCASE CHECK (code GLOB 'A*'),
      first TEXT COLLATE NOCASE, full TEXT AS (first || '!'), lo, hi, day DATE, price DECIMAL(10,2), total DECIMAL(10,2), CHECK (price * 3 = total));
    CREATE UNIQUE INDEX tg ON t(a, g); CREATE UNIQUE INDEX one_done ON t(status) WHERE status = 'Done';
    CREATE VIEW on_view AS SELECT Whole FROM mixed;
    CREATE VIEW mixed (Id, Whole) AS SELECT id, a AS Whole FROM t WHERE a > 1 AND a IS NOT NULL;
    INSERT INTO t (id, a, status, code, first, day, price, total) VALUES (1, 1, 'ACTIVE', 'A1', 'Ann', 20240101, 0.1, 0.30000000000000004), (2, 3, 'Done', NULL, NULL, 5, NULL, NULL)`)
  expect(result.findings).toEqual([])
  expect(await target.query('SELECT g::int, half, "full", day FROM t ORDER BY id')).toEqual([
    { g: 2, half: 1.5, full: 'Ann!', day: 20240101 },
    { g: 6, half: 4.5, full: null, day: 5 },
  ])
  expect(await target.query('SELECT * FROM mixed')).toEqual([{ Id: 2, Whole: 3 }])
  expect(await target.query('SELECT * FROM on_view')).toEqual([{ Whole: 3 }])
  await refuses(target, "INSERT INTO t (id, a, status) VALUES (9, 1, 'active')", 't_g_key')
  await refuses(target, "INSERT INTO t (id, a, status) VALUES (9, 9, 'DONE')", 'one_done')
  await refuses(target, "INSERT INTO t (id, a, status, code) VALUES (9, 9, 'active', 'a1')", 't_check2')
  await refuses(target, "INSERT INTO t (id, status) VALUES (9, 'active')", 'null value in column "g"')
  expect(result.notes.join()).toContain('t.status and references to it are compared by NOCASE')
  await target.drop()
})

test('what would mean something else is left, and named', async () => {
  const { target, result } = await moveForeign(`
    CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, lo, hi, x TEXT DEFAULT 1e3, d DATETIME DEFAULT 'now', n TEXT COLLATE NOCASE,
      CHECK (a NOT LIKE 'x%' IS NULL OR id > 0), CHECK (a NOT GLOB '*[*'), CHECK (lo <= hi), CHECK (id = 1 = 1 OR id > 0));
    CREATE VIEW sorted AS SELECT id FROM t ORDER BY a LIMIT 1; CREATE VIEW folded AS SELECT id FROM t WHERE n = 'X';
    CREATE VIEW cut AS SELECT CAST(id AS TEXT) AS c FROM t; CREATE VIEW plain AS SELECT id FROM t;
    CREATE TRIGGER vt INSTEAD OF INSERT ON plain BEGIN INSERT INTO t (a) VALUES (1); END;
    INSERT INTO t (lo, hi, d) VALUES (2, 10, NULL), ('a', 'b', NULL);`)
  expect(told(result.findings)).toEqual([
    'OUTGROW_OBJECT_LEFT the default t.x is not in the target',
    'OUTGROW_OBJECT_LEFT the default t.d is not in the target',
    'OUTGROW_CONSTRAINT_LOST the check t_check1 is not in the target',
    'OUTGROW_CONSTRAINT_LOST the check t_check2 is not in the target',
    'OUTGROW_CONSTRAINT_LOST the check t_check3 is not in the target',
    'OUTGROW_CONSTRAINT_LOST the check t_check4 is not in the target',
    'OUTGROW_OBJECT_LEFT the view sorted is not in the target',
    'OUTGROW_OBJECT_LEFT the view folded is not in the target',
    'OUTGROW_OBJECT_LEFT the view cut is not in the target',
    'OUTGROW_OBJECT_LEFT the trigger vt is not in the target',
  ])
  await target.drop()
})
