import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { openSqlite, openSqliteReadonly, withPostgres } from '@outgrow/databases'
import { makeDatabase, temporaryFolder, until } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { baselineDatabase, deployMigrations, migrationStatus, resolveMigration } from '../src/index.ts'
import { projectWith } from './histories.ts'

const scratch = () => ({ server: inject('postgresUrl') })
const inSchema = (url: string, schema: string) => `${url}${url.includes('?') ? '&' : '?'}schema=${schema}`

test.each([
  [
    'a savepoint',
    'BEGIN; CREATE TABLE t (a int); SAVEPOINT s; INSERT INTO t VALUES (1); ROLLBACK TO SAVEPOINT s; RELEASE s; COMMIT;',
  ],
  [
    'a rule of two statements',
    'CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO u VALUES (1); SELECT 1;);',
  ],
  ['a byte order mark', '\uFEFFCREATE TABLE t (a int);'],
  ['a role of its own', 'CREATE TABLE t (a int); SET LOCAL ROLE pg_monitor;'],
])('on Postgres a migration may hold %s', async (_, sql) => {
  const target = await makeDatabase(inject('postgresUrl'))
  const { source } = projectWith('postgres', { '1_a': sql })
  expect((await deployMigrations(source, target.url)).applied).toEqual(['1_a'])
  expect(await target.query("SELECT to_regclass('t')::text AS t")).toEqual([{ t: 't' }])
  await target.drop()
})

test('what a body commits by itself is refused by the server, with nothing left behind', async () => {
  const target = await makeDatabase(inject('postgresUrl'))
  const { source } = projectWith('postgres', {
    '1_a': 'DO $$ BEGIN CREATE TABLE half (id int); COMMIT; CREATE TABLE other (id nosuchtype); END $$;',
  })
  await expect(deployMigrations(source, target.url)).rejects.toMatchObject({
    code: 'OUTGROW_MIGRATION_FAILED',
  })
  expect(await target.query("SELECT to_regclass('half') AS t")).toEqual([{ t: null }])
  await target.drop()
})

test('a lower-case index that cannot be built concurrently leaves none behind either', async () => {
  const target = await makeDatabase(inject('postgresUrl'))
  for (const name of ['IF NOT EXISTS "users_email"', 'users_email', '']) {
    await target.query('DROP SCHEMA public CASCADE')
    await target.query('CREATE SCHEMA public')
    const { source } = projectWith('postgres', {
      '1_a': 'CREATE TABLE users (email int); INSERT INTO users VALUES (1), (1);',
      '2_b': `CREATE UNIQUE INDEX CONCURRENTLY ${name} ON users (email);`,
    })
    await expect(deployMigrations(source, target.url)).rejects.toMatchObject({
      code: 'OUTGROW_MIGRATION_FAILED',
    })
    expect(await target.query('SELECT 1 FROM pg_index WHERE NOT indisvalid')).toEqual([])
  }
  await target.drop()
})

test('a second deployment waits for the first, and nobody may say meanwhile what became of it', async () => {
  const target = await makeDatabase(inject('postgresUrl'))
  const { source } = projectWith('postgres', {
    '1_a': 'CREATE TABLE t (a int); SELECT pg_advisory_lock(5); INSERT INTO t VALUES (1);',
  })
  await withPostgres(target.url, async (holder) => {
    await holder.query('SELECT pg_advisory_lock(5)')
    const first = deployMigrations(source, target.url)
    const isWaiting =
      "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_advisory_lock(5)%' AND wait_event = 'advisory' AND datname = current_database()"
    await until(async () => (await target.query(isWaiting)).length > 0)
    const second = deployMigrations(source, target.url)
    await expect(resolveMigration(source, target.url, '1_a', 'rolled-back')).rejects.toMatchObject({
      code: 'OUTGROW_MIGRATION_RUNNING',
    })
    await holder.query('SELECT pg_advisory_unlock(5)')
    expect([(await first).applied, (await second).applied]).toEqual([['1_a'], []])
  })
  expect(await target.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 1 }])
  await target.drop()
})

test('two migrations of one text are told apart', async () => {
  const target = await makeDatabase(inject('postgresUrl'))
  const index = 'CREATE UNIQUE INDEX i ON t (a);'
  const { folder, source } = projectWith('postgres', {
    '1_a': 'CREATE TABLE t (a int);',
    '2_b': index,
    '3_c': 'DROP INDEX i;',
  })
  await deployMigrations(source, target.url)
  await target.query('INSERT INTO t VALUES (1), (1)')
  projectWith('postgres', { '4_d': index }, { folder: join(folder, '../..') })
  await expect(deployMigrations(source, target.url)).rejects.toMatchObject({
    message: expect.stringMatching(/^4_d\//) as string,
  })
  await resolveMigration(source, target.url, '4_d', 'rolled-back')
  await target.drop()
})

test('names of one’s own are no extensions', async () => {
  const target = await makeDatabase(inject('postgresUrl'))
  const { source } = projectWith('postgres', {
    '1_a': `CREATE TABLE IF NOT EXISTS "armor" ("id" int); CREATE TABLE "doc" ("vector" int); SELECT DISTINCT "vector" FROM "doc";
CREATE FUNCTION public.digest(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT public.digest(1), CASE WHEN "vector" > 1 THEN "vector" END FROM "doc";`,
  })
  expect((await deployMigrations(source, target.url)).applied).toEqual(['1_a'])
  await expect(
    deployMigrations(
      projectWith('postgres', { '2_b': 'CREATE TABLE e (v public.vector(3));' }).source,
      target.url,
    ),
  ).rejects.toMatchObject({ code: 'OUTGROW_EXTENSION_MISSING' })
  await target.drop()
})

test('a role without CREATE on the database deploys into its schema, and only that is compared', async () => {
  const target = await makeDatabase(inject('postgresUrl'))
  const role = `tenant_${new URL(target.url).pathname.slice(6)}`
  await target.query(
    `CREATE ROLE ${role} LOGIN PASSWORD 'x'; CREATE SCHEMA app AUTHORIZATION ${role}; CREATE SCHEMA auth; CREATE TABLE auth.users (id int)`,
  )
  const url = new URL(inSchema(target.url, 'app'))
  url.username = role
  url.password = 'x'
  const { source } = projectWith('postgres', {
    '1_a':
      'CREATE SCHEMA IF NOT EXISTS "app"; CREATE TABLE "app"."A" (id int); CREATE TABLE b (id int);'.replace(
        'CREATE SCHEMA IF NOT EXISTS "app"; ',
        '',
      ),
  })
  expect((await deployMigrations(source, url.href)).applied).toEqual(['1_a'])
  const status = await migrationStatus(source, 'postgres', url.href, scratch())
  expect(status.drift).toEqual([])
  await target.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  await target.drop()
})

test.each(['sqlite', 'postgres'] as const)(
  'a baseline on %s does not guess what the tables do not show',
  async (provider) => {
    const target = await makeDatabase(inject('postgresUrl'))
    const file = join(temporaryFolder(), 'app.db')
    const url = provider === 'sqlite' ? `file:${file}` : target.url
    const { source } = projectWith(provider, {
      '1_a': 'CREATE TABLE t (id int);',
      '2_rows': 'INSERT INTO t VALUES (1);',
      '3_more': 'UPDATE t SET id = 2;',
    })
    if (provider === 'sqlite') openSqlite(file).exec('CREATE TABLE t (id int)').close()
    else await target.query('CREATE TABLE t (id int)')
    await expect(baselineDatabase(source, url, scratch())).rejects.toMatchObject({
      code: 'OUTGROW_BASELINE_UNDECIDED',
      fix: expect.stringContaining('--through 3_more') as string,
    })
    projectWith(provider, { '4_later': 'CREATE TABLE u (id int);' }, { folder: source.home })
    for (const through of ['4_later', 'nothing']) {
      await expect(baselineDatabase(source, url, scratch(), through)).rejects.toMatchObject({
        code: 'OUTGROW_BASELINE_UNDECIDED',
      })
    }
    expect(await baselineDatabase(source, url, scratch(), '2_rows')).toEqual({
      applied: ['1_a', '2_rows'],
      pending: ['3_more', '4_later'],
    })
    await target.drop()
  },
)

test('functions, types, extensions and policies are part of what a baseline compares', async () => {
  const target = await makeDatabase(inject('postgresUrl'))
  await target.query('CREATE TABLE t (id int)')
  for (const sql of [
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1';",
    'CREATE TYPE pair AS (a int, b int);',
    'CREATE DOMAIN posint AS int CHECK (value > 0);',
    'CREATE EXTENSION citext;',
    'ALTER TABLE t ENABLE ROW LEVEL SECURITY;',
    'CREATE POLICY p ON t USING (id > 0);',
  ]) {
    const { source } = projectWith('postgres', { '1_a': 'CREATE TABLE t (id int);', '2_b': sql })
    expect((await baselineDatabase(source, target.url, scratch())).applied).toEqual(['1_a'])
    await target.query('DROP TABLE _prisma_migrations')
  }
  await target.drop()
})

test('a file that an application has open is named, and its journal mode stays', async () => {
  const file = join(temporaryFolder(), 'app.db')
  openSqlite(file).exec('CREATE TABLE _x (a); DROP TABLE _x').close()
  const { source, folder } = projectWith('sqlite', { '1_a': 'CREATE TABLE t (a);' })
  const holder = spawn(process.execPath, [
    '-e',
    `const d = new (require(${JSON.stringify(createRequire(join(import.meta.dirname, '../../databases/package.json')).resolve('better-sqlite3'))}))(${JSON.stringify(file)}); d.prepare('SELECT 1 FROM sqlite_schema').all(); console.log('open'); setInterval(() => {}, 1000)`,
  ])
  await once(holder.stdout, 'data')
  await expect(deployMigrations(source, `file:${file}`)).rejects.toMatchObject({
    code: 'OUTGROW_SOURCE_BUSY',
  })
  holder.kill('SIGKILL')
  await once(holder, 'exit')

  const plain = join(temporaryFolder(), 'plain.db')
  const database = openSqlite(plain)
  database.pragma('journal_mode = DELETE')
  database.exec('CREATE TABLE kept (a)')
  database.close()
  const journal = () => {
    const reader = openSqliteReadonly(plain)
    const mode = reader.pragma('journal_mode', { simple: true })
    reader.close()
    return mode
  }
  projectWith('sqlite', { '1_a': 'CREATE TABLE kept (a);' }, { folder: join(folder, '../..') })
  expect((await baselineDatabase(source, `file:${plain}`, scratch())).applied).toEqual(['1_a'])
  projectWith('sqlite', { '2_b': 'DROP TABLE nowhere;' }, { folder: join(folder, '../..') })
  await expect(deployMigrations(source, `file:${plain}`)).rejects.toMatchObject({
    code: 'OUTGROW_MIGRATION_FAILED',
  })
  await resolveMigration(source, `file:${plain}`, '2_b', 'rolled-back')
  expect(journal()).toBe('delete')
  const typo = join(temporaryFolder(), 'typo.db')
  await expect(resolveMigration(source, `file:${typo}`, '1_a', 'applied')).rejects.toMatchObject({
    code: 'OUTGROW_SOURCE_NOT_FOUND',
  })
  expect(existsSync(typo)).toBe(false)
})

test.each([
  [
    'a column called end',
    "CREATE TABLE s (id INTEGER PRIMARY KEY, start INT, end INT); CREATE TRIGGER g BEFORE INSERT ON s WHEN NEW.end <= NEW.start BEGIN SELECT RAISE(ABORT, 'bad') WHERE NEW.end IS NOT NULL; SELECT CASE WHEN 1 THEN 2 END; END; CREATE TABLE last (a);",
  ],
  [
    'a pragma in quotes',
    'CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p INT REFERENCES p ON DELETE CASCADE); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1); PRAGMA "foreign_keys"=OFF; CREATE TABLE new_p (id INTEGER PRIMARY KEY); INSERT INTO new_p SELECT * FROM p; DROP TABLE p; ALTER TABLE new_p RENAME TO p; PRAGMA main.[foreign_keys] = ON; CREATE TABLE last AS SELECT 1 / count(*) AS a FROM c;',
  ],
])('on SQLite a migration may hold %s', async (_, sql) => {
  const file = join(temporaryFolder(), 'app.db')
  const { source } = projectWith('sqlite', { '1_a': sql })
  expect((await deployMigrations(source, `file:${file}`)).applied).toEqual(['1_a'])
  const database = openSqliteReadonly(file)
  expect(database.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'last'").get()).toEqual({
    n: 1,
  })
  if (sql.includes('count(*)')) database.prepare('SELECT a FROM last WHERE a = 1').get()
  database.close()
})

test('a text of 20 MB, and 20,000 statements, are no trouble', async () => {
  const file = join(temporaryFolder(), 'app.db')
  const rows = Array.from({ length: 20_000 }, (_, at) => `INSERT INTO c VALUES ('row ${at}');`).join('\n')
  const { source } = projectWith('sqlite', {
    '1_a': `CREATE TABLE c (t text);\nINSERT INTO c VALUES ('${'a'.repeat(20_000_000)}');\n${rows}`,
  })
  expect((await deployMigrations(source, `file:${file}`)).applied).toEqual(['1_a'])
})
