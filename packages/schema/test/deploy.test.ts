import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { engineAdapter, openSqlite, withPostgres } from '@outgrow/databases'
import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { deployMigrations, resolveMigration } from '../src/index.ts'
import { projectWith } from './histories.ts'

const emptyFile = () => join(temporaryFolder(), 'app.db')

function inFile<Row>(path: string, sql: string): Row[] {
  const database = openSqlite(path)
  try {
    return database.prepare(sql).all() as Row[]
  } finally {
    database.close()
  }
}

test('migrations go into the schema that the URL names, whatever its name is, and into no other', async () => {
  const { source } = projectWith('postgres', { '1_init': 'CREATE TABLE "T" (id int PRIMARY KEY);' })
  const target = await makeDatabase(inject('postgresUrl'))
  for (const name of ['app', 'My "odd" one']) {
    const url = new URL(target.url)
    url.searchParams.set('schema', name)
    expect((await deployMigrations(source, url.href)).applied).toEqual(['1_init'])
    expect((await deployMigrations(source, url.href)).applied).toEqual([])
  }
  expect(
    await target.query(
      "SELECT table_schema AS at, table_name AS name FROM information_schema.tables WHERE table_schema !~ '^pg_|^information' ORDER BY 1, 2",
    ),
  ).toEqual([
    { at: 'My "odd" one', name: 'T' },
    { at: 'My "odd" one', name: '_prisma_migrations' },
    { at: 'app', name: 'T' },
    { at: 'app', name: '_prisma_migrations' },
  ])
  await target.drop()
})

test.each([
  ['a semicolon in a text', `CREATE TABLE t (a text DEFAULT 'Kind regards; the team', "b;c" text);`],
  [
    'a semicolon in comments',
    `CREATE TABLE t (a int); -- one; two\n/* three; /* four; */ five; */ CREATE TABLE u (a int)`,
  ],
  [
    'a body in dollars',
    `CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $body$ BEGIN PERFORM 1; RETURN 1; END; $body$; CREATE TABLE t (a int);`,
  ],
  [
    'a body of its own',
    `CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; CREATE TABLE t (a int);`,
  ],
  ['an escaped quote', `CREATE TABLE t (a text DEFAULT E'it\\'s; here');`],
  [
    'Prisma’s own change of an enum',
    `CREATE TYPE k AS ENUM ('a'); CREATE TABLE t (k k);\nBEGIN;\nCREATE TYPE k_new AS ENUM ('a', 'b');\nALTER TABLE t ALTER COLUMN k TYPE k_new USING (k::text::k_new);\nDROP TYPE k;\nALTER TYPE k_new RENAME TO k;\nCOMMIT;\nCREATE TABLE u (a int);`,
  ],
  [
    'the search path of a dump',
    `SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE public.t (a int);`,
  ],
  ['nothing but comments', `-- This is an empty migration.`],
])('on Postgres a migration may hold %s', async (_, sql) => {
  const target = await makeDatabase(inject('postgresUrl'))
  const { source } = projectWith('postgres', { '1_a': sql, '2_b': 'CREATE TABLE last_one (a int);' })
  expect((await deployMigrations(source, target.url)).applied).toEqual(['1_a', '2_b'])
  expect(await target.query("SELECT to_regclass('public.last_one')::text AS name")).toEqual([
    { name: 'last_one' },
  ])
  await target.drop()
})

test.each([
  [
    'a statement that the server refuses',
    `CREATE TABLE t (a int);\n\nINSERT INTO t VALUES (1);\nINSERT INTO\n  nowhere VALUES (1);`,
    5,
    '42P01',
  ],
  [
    'rows that break a constraint',
    `CREATE TABLE t (a int);\nINSERT INTO t VALUES (1), (1);\nALTER TABLE t ADD UNIQUE (a);`,
    3,
    '23505',
  ],
  [
    'a slip behind its own BEGIN',
    `BEGIN;\nCREATE TABLE t (a int);\nCOMMIT;\nBEGIN;\nCREATE TABLE t (a int);\nCOMMIT;`,
    5,
    '42P07',
  ],
  ['characters of four bytes before the slip', `INSERT INTO t VALUES ('😀😀😀');\nselec 1;`, 2, '42601'],
])('%s leaves Postgres as it was, and a record that can be resolved', async (_, sql, line, code) => {
  const target = await makeDatabase(inject('postgresUrl'))
  const { source, folder } = projectWith('postgres', { '1_a': 'CREATE TABLE before (a int);', '2_b': sql })
  await expect(deployMigrations(source, target.url)).rejects.toMatchObject({
    code: 'OUTGROW_MIGRATION_FAILED',
    message: expect.stringMatching(new RegExp(`^2_b/migration.sql:${line}: (?!.*wasm)`)) as string,
    fix: expect.stringContaining('outgrow schema resolve --rolled-back 2_b') as string,
  })
  expect(
    await target.query(
      "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1",
    ),
  ).toEqual([{ relname: '_prisma_migrations' }, { relname: 'before' }])
  const [record] = await target.query("SELECT * FROM _prisma_migrations WHERE migration_name = '2_b'")
  expect(record).toMatchObject({ finished_at: null, rolled_back_at: null, applied_steps_count: 0 })
  expect(record?.logs).toContain(`Database error code: ${code}`)
  await expect(deployMigrations(source, target.url)).rejects.toMatchObject({
    code: 'OUTGROW_MIGRATION_UNRESOLVED',
  })
  await resolveMigration(source, target.url, '2_b', 'rolled-back')
  projectWith('postgres', { '2_b': 'CREATE TABLE after (a int);' }, { folder: join(folder, '../..') })
  expect((await deployMigrations(source, target.url)).applied).toEqual(['2_b'])
  await target.drop()
})

test('what no transaction can hold is refused before anything runs, and runs alone', async () => {
  const target = await makeDatabase(inject('postgresUrl'))
  const init = 'CREATE TABLE t (a int);'
  for (const [sql, line] of [
    ['CREATE TABLE u (a int);\nCREATE INDEX CONCURRENTLY i ON t (a);', 2],
    ['VACUUM t; CREATE TABLE u (a int);', 1],
    ['CREATE TABLE u (a int);\nROLLBACK;', 2],
    ['BEGIN;\nCREATE TABLE u (a int);', 1],
    ['CREATE TABLE u (a int);\n\nCOMMIT;', 3],
  ] as const) {
    const { source } = projectWith('postgres', { '1_a': init, '2_b': sql })
    await expect(deployMigrations(source, target.url)).rejects.toMatchObject({
      code: 'OUTGROW_MIGRATION_NOT_ATOMIC',
      message: expect.stringMatching(new RegExp(`^2_b/migration.sql:${line}: `)) as string,
    })
    expect(
      await target.query("SELECT to_regclass('t') AS t, to_regclass('_prisma_migrations') AS m"),
    ).toEqual([{ t: null, m: null }])
  }
  const { source } = projectWith('postgres', {
    '1_a': init,
    '2_b': '-- alone\nCREATE INDEX CONCURRENTLY i ON t (a);',
    '3_c': 'VACUUM t',
  })
  expect((await deployMigrations(source, target.url)).applied).toEqual(['1_a', '2_b', '3_c'])
  await target.drop()
})

test('an index that cannot be built concurrently leaves none behind', async () => {
  const target = await makeDatabase(inject('postgresUrl'))
  const { source } = projectWith('postgres', {
    '1_a': 'CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1);',
    '2_b': 'CREATE UNIQUE INDEX CONCURRENTLY "My index" ON t (a);',
  })
  await expect(deployMigrations(source, target.url)).rejects.toMatchObject({
    code: 'OUTGROW_MIGRATION_FAILED',
  })
  expect(await target.query("SELECT 1 FROM pg_index WHERE indrelid = 't'::regclass")).toEqual([])
  await target.drop()
})

test('a migration leaves SQLite as it was when one of its statements fails', async () => {
  const file = emptyFile()
  const { source, folder } = projectWith('sqlite', {
    '1_a': 'CREATE TABLE t (a);',
    '2_b': `CREATE TABLE u (a);\nINSERT INTO t VALUES ('x;y');\nALTER TABLE nowhere ADD COLUMN b;`,
  })
  await expect(deployMigrations(source, `file:${file}`)).rejects.toMatchObject({
    code: 'OUTGROW_MIGRATION_FAILED',
    message: '2_b/migration.sql:3: no such table: nowhere',
  })
  expect(inFile(file, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")).toEqual([
    { name: '_prisma_migrations' },
    { name: 't' },
  ])
  expect(inFile(file, 'SELECT count(*) AS n FROM t')).toEqual([{ n: 0 }])
  expect(
    inFile(
      file,
      "SELECT migration_name, finished_at, logs LIKE '%no such table: nowhere%' AS told FROM _prisma_migrations WHERE finished_at IS NULL",
    ),
  ).toEqual([{ migration_name: '2_b', finished_at: null, told: 1 }])
  await resolveMigration(source, `file:${file}`, '2_b', 'rolled-back')
  projectWith('sqlite', { '2_b': 'CREATE TABLE u (a);' }, { folder: join(folder, '../..') })
  expect((await deployMigrations(source, `file:${file}`)).applied).toEqual(['2_b'])
})

const family = `CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parent (id) ON DELETE CASCADE);
INSERT INTO parent VALUES (1, 'a'), (2, 'b'); INSERT INTO child VALUES (1, 1), (2, 2);`

test('a table that is rebuilt with foreign keys off keeps its children, and a failure takes the whole back', async () => {
  const rebuilt = `PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_parent" (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO "new_parent" SELECT * FROM parent;
DROP TABLE parent;
ALTER TABLE "new_parent" RENAME TO "parent";
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;`
  const file = emptyFile()
  const { source } = projectWith('sqlite', {
    '1_a': family,
    '2_b': `${rebuilt}\nUPDATE parent SET name = 'c' WHERE id = 2;`,
  })
  expect((await deployMigrations(source, `file:${file}`)).applied).toEqual(['1_a', '2_b'])
  expect(inFile(file, 'SELECT count(*) AS n FROM child')).toEqual([{ n: 2 }])
  expect(inFile(file, 'PRAGMA foreign_key_check')).toEqual([])

  const other = emptyFile()
  const failing = projectWith('sqlite', { '1_a': family, '2_b': `${rebuilt}\nDROP TABLE nowhere;` })
  await expect(deployMigrations(failing.source, `file:${other}`)).rejects.toMatchObject({
    code: 'OUTGROW_MIGRATION_FAILED',
  })
  expect(inFile(other, `SELECT "notnull" AS n FROM pragma_table_info('parent') WHERE name = 'name'`)).toEqual(
    [{ n: 0 }],
  )

  const cascading = emptyFile()
  const relying = projectWith('sqlite', {
    '1_a': family,
    '2_b': `DELETE FROM parent WHERE id = 1;\n${rebuilt}`,
  })
  await expect(deployMigrations(relying.source, `file:${cascading}`)).rejects.toMatchObject({
    message: expect.stringContaining(
      'it would leave a row of child that references a missing row of parent',
    ) as string,
    fix: expect.stringContaining('a separate migration') as string,
  })
  expect(inFile(cascading, 'SELECT count(*) AS n FROM parent')).toEqual([{ n: 2 }])
  const alone = projectWith('sqlite', { '1_a': family, '2_b': 'DELETE FROM parent WHERE id = 1;' })
  const plain = emptyFile()
  await deployMigrations(alone.source, `file:${plain}`)
  expect(inFile(plain, 'SELECT id FROM child')).toEqual([{ id: 2 }])
})

test('what sqlite3 takes for texts is deployed as texts, in every place, with a note', async () => {
  const file = emptyFile()
  const { source } = projectWith('sqlite', {
    '1_a': `CREATE TABLE t ("a" TEXT NOT NULL DEFAULT "new", "draft" TEXT, CHECK ("a" IN ("new", "draft it")));
INSERT INTO "t" ("a", "draft") VALUES ("draft it", "it's");
CREATE INDEX i ON t ("a") WHERE "a" <> "old";
CREATE VIEW v AS SELECT "a", "seen" AS mark FROM t;
CREATE TABLE log (what TEXT);
CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO log VALUES ("made; so"); SELECT CASE WHEN 1 THEN 2 END; END;
INSERT INTO t ("a") VALUES ('new');`,
  })
  const { applied, notes } = await deployMigrations(source, `file:${file}`)
  expect(applied).toEqual(['1_a'])
  expect(notes).toHaveLength(7)
  expect(notes[0]).toContain(`line 1: "new" is not a column`)
  expect(inFile(file, 'SELECT a, draft FROM t ORDER BY a')).toEqual([
    { a: 'draft it', draft: "it's" },
    { a: 'new', draft: null },
  ])
  expect(inFile(file, 'SELECT DISTINCT mark FROM v')).toEqual([{ mark: 'seen' }])
  expect(inFile(file, 'SELECT what FROM log')).toEqual([{ what: 'made; so' }])
})

test('on SQLite transaction control is left out in pairs', async () => {
  const { source } = projectWith('sqlite', { '1_a': 'BEGIN IMMEDIATE; CREATE TABLE u (a); COMMIT;' })
  expect((await deployMigrations(source, `file:${emptyFile()}`)).applied).toEqual(['1_a'])
})

test.each([
  'CREATE TABLE u (a);\nEND;',
  'VACUUM; CREATE TABLE u (a);',
  'PRAGMA journal_mode = WAL; CREATE TABLE u (a);',
  'CREATE TABLE u (a); ROLLBACK',
])('on SQLite what no transaction can hold is refused before anything runs: %s', async (sql) => {
  const file = emptyFile()
  const { source } = projectWith('sqlite', { '1_a': 'CREATE TABLE t (a);', '2_b': sql })
  await expect(deployMigrations(source, `file:${file}`)).rejects.toMatchObject({
    code: 'OUTGROW_MIGRATION_NOT_ATOMIC',
  })
  expect(existsSync(file)).toBe(false)
})

test('a missing extension is found before anything runs', async () => {
  const target = await makeDatabase(inject('postgresUrl'))
  const deployed = (sql: string, options = {}) =>
    deployMigrations(
      projectWith('postgres', { '1_a': 'CREATE TABLE first_one (a int);', '2_b': sql }).source,
      target.url,
      options,
    )
  const missing = (words: string) => ({
    code: 'OUTGROW_EXTENSION_MISSING',
    message: expect.stringContaining(words) as string,
  })
  const nothing = async () =>
    expect(await target.query("SELECT to_regclass('first_one') AS t")).toEqual([{ t: null }])
  await expect(deployed('CREATE EXTENSION no_such_thing;')).rejects.toMatchObject(
    missing('This server has no extension no_such_thing, which 2_b creates at line 1'),
  )
  await nothing()
  await expect(deployed('CREATE TABLE t (a int,\n  embedding nonesuch);')).rejects.toMatchObject({
    code: 'OUTGROW_MIGRATION_FAILED',
  })
  await target.query('DROP TABLE first_one, _prisma_migrations')
  const role = `deployer_${process.pid}`
  await withPostgres(target.url, (client) =>
    client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT ALL ON SCHEMA public TO ${role}`),
  )
  const names = await target.query(
    "SELECT name FROM pg_available_extensions WHERE name IN ('citext', 'vector') ORDER BY 1",
  )
  const hasCitext = names.some(({ name }) => name === 'citext')
  await expect(deployed('CREATE TABLE t (a int, email "citext" NOT NULL);')).rejects.toMatchObject(
    missing(
      hasCitext
        ? 'This database lacks extension citext, which 2_b needs at line 1'
        : 'This server has no extension citext',
    ),
  )
  await nothing()
  // A name of one's own is nobody's extension.
  expect(
    (
      await deployed(
        'CREATE TYPE vector AS (x int); CREATE TABLE t (vector vector, "similarity" int, digest text);',
      )
    ).applied,
  ).toEqual(['1_a', '2_b'])
  await target.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  await target.drop()
})

test.each(['sqlite', 'postgres'] as const)(
  'on %s the record of a migration is part of its transaction',
  async (provider) => {
    const target = await makeDatabase(inject('postgresUrl'))
    const file = emptyFile()
    const url = provider === 'sqlite' ? `file:${file}` : target.url
    const read = (sql: string) => (provider === 'sqlite' ? inFile(file, sql) : target.query(sql))
    const { adapter, dispose } = await engineAdapter(url, () => 'INSERT INTO said VALUES (1)')
    const connection = (await adapter.connect()) as {
      value: { executeScript(sql: string): Promise<{ ok: boolean }> }
    }
    const run = async (sql: string) => (await connection.value.executeScript(sql)).ok
    expect(await run('CREATE TABLE said (a int); CREATE TABLE t (a int) -- the end')).toBe(true)
    expect(await run('INSERT INTO t VALUES (1); INSERT INTO nowhere VALUES (1)')).toBe(false)
    expect([await read('SELECT a FROM said'), await read('SELECT a FROM t')]).toEqual([[{ a: 1 }], []])
    expect(await run('INSERT INTO t VALUES (1); DROP TABLE said')).toBe(false)
    expect(await read('SELECT a FROM t')).toEqual([])
    await dispose()

    const { source } = projectWith(provider, { '1_a': 'CREATE TABLE u (a int);' })
    const other = await makeDatabase(inject('postgresUrl'))
    const fresh = provider === 'sqlite' ? `file:${emptyFile()}` : other.url
    await deployMigrations(source, fresh)
    const rows = provider === 'sqlite' ? inFile(fresh.slice(5), records) : await other.query(records)
    expect(rows).toEqual([{ applied_steps_count: 1, logs: null, finished: provider === 'sqlite' ? 1 : true }])
    await target.drop()
    await other.drop()
  },
)

const records =
  'SELECT applied_steps_count, logs, finished_at >= started_at AS finished FROM _prisma_migrations'
