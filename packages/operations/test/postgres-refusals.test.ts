import { connectPostgres, withPostgres } from '@outgrow/databases'
import { makeDatabase, type TestDatabase } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { takeSnapshot } from '../src/backup/postgres/snapshot.ts'
import { restoreBackup, takeBackup, type TakenBackup } from './postgres-backup.ts'

const server = inject('postgresUrl')

async function databaseOf(sql: string): Promise<TestDatabase> {
  const database = await makeDatabase(server)
  await withPostgres(database.url, (client) => client.query(sql))
  return database
}

/** The URL of a role of its own, which may nothing but connect. */
async function roleOn({ url, query }: TestDatabase, attributes = ''): Promise<{ url: string; role: string }> {
  const role = `role_${new URL(url).pathname.slice(6)}`
  await query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret' ${attributes}`)
  const own = new URL(url)
  own.username = role
  own.password = 'secret'
  return { url: own.href, role }
}

const isEmpty = async ({ query }: TestDatabase) =>
  (await query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")).length === 0

/** With what the server would have to have changed. */
function withDetails(backup: TakenBackup, details: object): TakenBackup {
  return { ...backup, manifest: { ...backup.manifest, details: { ...backup.manifest.details, ...details } } }
}

test('a backup names the tables and sequences that its role may not read', async () => {
  const database = await databaseOf('CREATE TABLE open (id int); CREATE TABLE closed (id serial)')
  const { url, role } = await roleOn(database)
  await database.query(`GRANT SELECT ON open TO ${role}`)
  await expect(takeBackup(url)).rejects.toMatchObject({
    code: 'OUTGROW_BACKUP_PRIVILEGES',
    message: expect.stringContaining('public.closed, public.closed_id_seq'),
  })
  await database.query(`GRANT pg_read_all_data TO ${role}`)
  expect((await takeBackup(url)).manifest.tables.map(({ name }) => name)).toEqual([
    'public.closed',
    'public.open',
  ])
})

test('a backup names the tables of which policies would hide rows from its role', async () => {
  const database = await databaseOf(
    'CREATE TABLE own (id int); INSERT INTO own VALUES (1); ALTER TABLE own ENABLE ROW LEVEL SECURITY',
  )
  const { url, role } = await roleOn(database)
  await database.query(`GRANT pg_read_all_data TO ${role}`)
  await expect(takeBackup(url)).rejects.toMatchObject({
    code: 'OUTGROW_BACKUP_PRIVILEGES',
    message: expect.stringContaining('public.own'),
  })
  await database.query(`ALTER ROLE ${role} BYPASSRLS`)
  expect((await takeBackup(url)).manifest.tables).toMatchObject([{ name: 'public.own', rows: 1 }])
})

test('a backup does not wait for ever behind the lock of another session', async () => {
  const database = await databaseOf('CREATE TABLE busy (id int)')
  const [holder, client] = [await connectPostgres(database.url), await connectPostgres(database.url)]
  await holder.query('BEGIN')
  await holder.query('LOCK TABLE busy')
  await expect(takeSnapshot(client, 50)).rejects.toMatchObject({ code: 'OUTGROW_BACKUP_LOCKED' })
  await Promise.all([holder.end(), client.end()])
})

test('a target that has anything is refused', async () => {
  const backup = await takeBackup((await databaseOf('CREATE TABLE t (id int)')).url)
  const contents = [
    'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
    'CREATE TABLE t ()',
    'CREATE SEQUENCE s',
    "CREATE TYPE e AS ENUM ('a')",
    'CREATE SCHEMA other',
    'SELECT lo_create(0)',
  ]
  for (const sql of contents) {
    const target = await databaseOf(sql)
    await expect(restoreBackup(backup, target.url)).rejects.toMatchObject({
      code: 'OUTGROW_RESTORE_NOT_EMPTY',
    })
    await target.drop()
  }
})

test('a server without what the backup rests on is refused before the work', async () => {
  const backup = await takeBackup((await databaseOf('CREATE TABLE t (id int)')).url)
  const target = await makeDatabase(server)
  const cases: [object, string, string][] = [
    [{ serverVersion: 990_001 }, 'OUTGROW_RESTORE_SERVER', 'one of PostgreSQL 99'],
    [
      { extensions: [{ name: 'not_there', version: '1' }] },
      'OUTGROW_RESTORE_SERVER',
      'the extension not_there',
    ],
    [{ collations: ['xx_XX.utf8'] }, 'OUTGROW_RESTORE_SERVER', 'the collation xx_XX.utf8'],
    [{ roles: { owners: [], grantees: [], inPolicies: ['nobody"s'] } }, 'OUTGROW_RESTORE_ROLES', 'nobody"s'],
  ]
  for (const [details, code, words] of cases) {
    await expect(restoreBackup(withDetails(backup, details), target.url)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    })
    expect(await isEmpty(target)).toBe(true)
  }
})

test('a part that was changed leaves the target as it was', async () => {
  const source = await databaseOf(
    `CREATE TABLE a (id int PRIMARY KEY, t text); INSERT INTO a SELECT n, repeat('x', n) FROM generate_series(1, 500) n`,
  )
  const backup = await takeBackup(source.url)
  const target = await makeDatabase(server)
  const changes: ((bytes: Buffer) => Buffer)[] = [
    (bytes) => bytes.subarray(0, bytes.length / 2),
    (bytes) => Buffer.concat([bytes, Buffer.from('more')]),
    (bytes) => Buffer.from(bytes).fill(0xff, 2000, 2004),
    // A letter of a text: nothing but the digest can tell.
    (bytes) => Buffer.from(bytes).fill('y', bytes.length - 20, bytes.length - 19),
  ]
  for (const change of changes) {
    const result = await restoreBackup(backup, target.url, { change: (_, bytes) => change(bytes) }).catch(
      (error: unknown) => error,
    )
    expect(result instanceof Error || (result as { differences: string[] }).differences.length > 0).toBe(true)
    expect(await isEmpty(target)).toBe(true)
  }
  expect(await restoreBackup(backup, target.url)).toMatchObject({ differences: [], problems: [] })
})

test('a digest that is another is found, and nothing is published', async () => {
  const source = await databaseOf('CREATE TABLE a (id int); INSERT INTO a VALUES (1), (2)')
  const backup = await takeBackup(source.url)
  backup.manifest.tables = backup.manifest.tables.map((table) => ({ ...table, digest: '00ff00ff00ff00ff' }))
  const target = await makeDatabase(server)
  expect(await restoreBackup(backup, target.url)).toMatchObject({
    differences: ['the rows of public.a differ'],
  })
  expect(await isEmpty(target)).toBe(true)
})

test('roles that the server does not have are named, and the rest is restored', async () => {
  const role = `gone_${Date.now()}`
  const source = await databaseOf(
    `CREATE ROLE ${role}; CREATE TABLE a (id int); ALTER TABLE a OWNER TO ${role}; CREATE TABLE b (); GRANT SELECT ON b TO ${role}`,
  )
  const backup = await takeBackup(source.url)
  await source.query(`DROP OWNED BY ${role} CASCADE`)
  await source.query(`DROP ROLE ${role}`)
  const target = await makeDatabase(server)
  const { differences, problems, notes } = await restoreBackup(backup, target.url)
  expect([differences, problems]).toEqual([[], []])
  expect(notes).toEqual([
    expect.stringContaining(`does not have the roles ${role}`),
    `What belonged to ${role} belongs to postgres.`,
  ])
})

test('a role that only owns its database restores into it, as one does on a managed server', async () => {
  const source = await databaseOf(`
    CREATE TABLE account (id serial PRIMARY KEY, tenant int); INSERT INTO account (tenant) VALUES (1), (2);
    ALTER TABLE account ENABLE ROW LEVEL SECURITY; ALTER TABLE account FORCE ROW LEVEL SECURITY;
    CREATE POLICY own ON account USING (tenant = 1);
    CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM account;
    CREATE PUBLICATION everything FOR ALL TABLES;
    CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION on_ddl();
    SELECT lo_from_bytea(99, 'x')`)
  const backup = await takeBackup(source.url)
  const target = await makeDatabase(server)
  const { url, role } = await roleOn(target)
  await target.query(`ALTER DATABASE ${new URL(url).pathname.slice(1)} OWNER TO ${role}`)
  const { differences, problems, notes } = await restoreBackup(backup, url)
  expect([differences, problems]).toEqual([[], []])
  expect(notes.join('\n')).toMatch(/PUBLICATION "everything"/)
  expect(notes.join('\n')).toMatch(/EVENT TRIGGER "watch"/)
  expect(await target.query('SELECT count(*) FROM account')).toEqual([{ count: '2' }])
  expect(await target.query('SELECT n FROM totals')).toEqual([{ n: '2' }])
  expect(await target.query("SELECT lo_get(99) = 'x' AS same")).toEqual([{ same: true }])
  await source.query('DROP EVENT TRIGGER watch')
})

test('a managed server’s pooled host is refused by its name, before anything is asked', async () => {
  const url = 'postgresql://app:secret@ep-cool-name-123456-pooler.eu-central-1.aws.neon.tech/app'
  await expect(takeBackup(url)).rejects.toMatchObject({
    code: 'OUTGROW_TARGET_POOLED',
    fix: expect.stringContaining('ep-cool-name-123456.eu-central-1.aws.neon.tech'),
  })
})
