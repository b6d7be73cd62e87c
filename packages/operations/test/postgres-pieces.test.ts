import { connectPostgres, withPostgres, type PostgresClient } from '@outgrow/databases'
import { makeDatabase } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { framed, FrameReader } from '../src/backup/postgres/frames.ts'
import { answerToStartup, MessageReader } from '../src/backup/postgres/pg-dump/messages.ts'
import { planParts } from '../src/backup/postgres/plan-parts.ts'
import { commit } from '../src/backup/postgres/restore/commit.ts'
import { readSchema } from '../src/backup/postgres/read-schema.ts'
import { dumpStatements, ownerOf } from '../src/backup/postgres/restore/script.ts'
import { restoreBackup, takeBackup } from './postgres-backup.ts'

const server = inject('postgresUrl')

async function* of(...pieces: string[]): AsyncIterable<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece)
}

async function textOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(Uint8Array.from(piece))
  return Buffer.concat(all).toString()
}

async function* cut(bytes: Buffer, length: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

test('tables of one part are taken apart again, wherever its pieces are cut', async () => {
  const tables = [['one', '', 'more'], [], ['last']]
  const part = Buffer.concat(
    await Promise.all(
      tables.map(async (pieces) => {
        const bytes: Uint8Array[] = []
        for await (const piece of framed(of(...pieces))) bytes.push(piece)
        return Buffer.concat(bytes)
      }),
    ),
  )
  for (let length = 1; length <= part.length; length++) {
    const reader = new FrameReader(cut(part, length))
    for (const pieces of tables) expect(await textOf(reader.next())).toBe(pieces.join(''))
    await reader.end()
  }
  const short = new FrameReader(cut(part.subarray(0, -1), 3))
  await textOf(short.next())
  await textOf(short.next())
  await expect(textOf(short.next())).rejects.toThrow('ends within a table')
  await expect(new FrameReader(cut(part, 3)).end()).rejects.toThrow('more than its tables')
})

test('messages are counted, wherever their bytes are cut', () => {
  const answer = answerToStartup(Buffer.from([0, 0, 0, 8, 0, 3, 0, 0]), { server_version: '15.18' })
  for (let length = 1; length < answer.length; length++) {
    const reader = new MessageReader()
    const types: string[] = []
    for (let at = 0; at < answer.length; at += length)
      types.push(...reader.add(answer.subarray(at, at + length)))
    expect(types.join('')).toBe('RSKZ')
  }
  expect(answerToStartup(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]), {}).toString()).toBe('N')
})

test('a large table has an object of its own, small ones share one', () => {
  const mb = 1024 * 1024
  expect(planParts([mb, mb, 500 * mb, mb, 63 * mb, mb])).toMatchObject([
    { name: 'rows-0001', tables: [0, 1] },
    { name: 'rows-0002', tables: [2] },
    { name: 'rows-0003', tables: [3, 4] },
    { name: 'rows-0004', tables: [5] },
  ])
})

test('each statement of a dump has its place', () => {
  const phases = dumpStatements(`
    SET transaction_timeout = 0;
    SET check_function_bodies = false;
    CREATE FUNCTION "public"."f"() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;
    ALTER FUNCTION "public"."f"() OWNER TO "o""wner";
    CREATE TABLE "public"."GRANT" ("a" text DEFAULT 'OWNER TO');
    COMMENT ON EXTENSION "x" IS 'y';
    ALTER TABLE "public"."t" ENABLE ROW LEVEL SECURITY;
    ALTER TABLE ONLY "public"."t" FORCE ROW LEVEL SECURITY;
    CREATE POLICY "p" ON "public"."t" USING (true);
    COMMENT ON POLICY "p" ON "public"."t" IS 'c';
    REVOKE ALL ON TABLE "public"."t" FROM "o";
    SET SESSION AUTHORIZATION "o"; GRANT SELECT ON TABLE "public"."t" TO PUBLIC; RESET SESSION AUTHORIZATION;
    ALTER DEFAULT PRIVILEGES FOR ROLE "o" GRANT SELECT ON TABLES TO "r";
    CREATE EVENT TRIGGER "e" ON ddl_command_end EXECUTE FUNCTION "public"."f"();
    ALTER EVENT TRIGGER "e" OWNER TO "o";
    CREATE PUBLICATION "p" FOR ALL TABLES`)
  expect(phases.map(({ text, phase, isOptional }) => [phase, isOptional, text.slice(0, 14)])).toEqual([
    ['build', false, 'SET check_func'],
    ['build', false, 'CREATE FUNCTIO'],
    ['owners', true, 'ALTER FUNCTION'],
    ['build', false, 'CREATE TABLE "'],
    ['build', true, 'COMMENT ON EXT'],
    ['row security', false, 'ALTER TABLE "p'],
    ['row security', false, 'ALTER TABLE ON'],
    ['row security', false, 'CREATE POLICY '],
    ['row security', false, 'COMMENT ON POL'],
    ['grants', true, 'REVOKE ALL ON '],
    ['grants', true, 'SET SESSION AU'],
    ['grants', true, 'GRANT SELECT O'],
    ['grants', true, 'RESET SESSION '],
    ['grants', true, 'ALTER DEFAULT '],
    ['event triggers', true, 'CREATE EVENT T'],
    ['event triggers', true, 'ALTER EVENT TR'],
    ['build', true, 'CREATE PUBLICA'],
  ])
  expect(ownerOf(phases[2]?.text ?? '')).toBe('o"wner')
})

test('a schema that changes while pg_dump reads it is read again', async () => {
  const { url, query } = await makeDatabase(server)
  await query("CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT 1::text'")
  const client = await connectPostgres(url)
  let dumps = 0
  const schema = await readSchema(client, async () => {
    if (++dumps === 1)
      await query("CREATE OR REPLACE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT 2::text'")
    return { text: `dump ${dumps}`, postDataAt: 0 }
  })
  expect(schema.script.text).toBe('dump 2')
  expect(schema.structure.find(({ kind }) => kind === 'function')?.definition).toContain('SELECT 2')
  await expect(
    readSchema(client, async () => {
      await query(`CREATE TABLE t${++dumps} ()`)
      return { text: '', postDataAt: 0 }
    }),
  ).rejects.toMatchObject({ code: 'OUTGROW_BACKUP_LOCKED' })
  await client.end()
})

test('settings and the comment of the database come along', async () => {
  const role = `setting_${Date.now()}`
  const source = await makeDatabase(server)
  const target = await makeDatabase(server)
  const name = ({ url }: { url: string }) => new URL(url).pathname.slice(1)
  await withPostgres(source.url, (client) =>
    client.query(`CREATE SCHEMA "my, own"; CREATE ROLE ${role};
      ALTER DATABASE ${name(source)} SET search_path = "$user", public, "my, own";
      ALTER DATABASE ${name(source)} SET work_mem = '7MB';
      ALTER DATABASE ${name(source)} SET default_transaction_read_only = on;
      ALTER DATABASE ${name(source)} SET app.tenant = 'it''s';
      ALTER ROLE ${role} IN DATABASE ${name(source)} SET statement_timeout = '5s';
      COMMENT ON DATABASE ${name(source)} IS 'who''s'`),
  )
  const backup = await takeBackup(source.url)
  expect(await restoreBackup(backup, target.url)).toEqual({ differences: [], problems: [], notes: [] })
  const settings = `SELECT s.setrole::regrole::text AS role, one, shobj_description(d.oid, 'pg_database') AS comment
    FROM pg_database d JOIN pg_db_role_setting s ON s.setdatabase = d.oid CROSS JOIN unnest(s.setconfig) one
   WHERE d.datname = current_database() ORDER BY 1, 2`
  expect(await source.query(settings)).toHaveLength(5)
  expect(await target.query(settings)).toEqual(await source.query(settings))
})

test('a line that pg_dump would lose is named, and not backed up without', async () => {
  const { url, query } = await makeDatabase(server)
  await query(String.raw`CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT '
\restrict x' $$`)
  await expect(takeBackup(url)).rejects.toMatchObject({
    code: 'OUTGROW_PG_DUMP',
    message: expect.stringContaining('function'),
  })
})

test('a commit of which the answer is lost is asked for', async () => {
  const { url, query } = await makeDatabase(server)
  const isThere = async (table: string) =>
    (await query('SELECT to_regclass($1) IS NOT NULL AS there', [table]))[0]?.there
  const lost = new Error('Connection terminated unexpectedly')
  const reconnect = () => connectPostgres(url)
  /** Ends as `end` says where the answer to COMMIT would come. */
  const commitOf = async (table: string, end: (client: PostgresClient) => Promise<unknown>) => {
    const client = await connectPostgres(url)
    await client.query(`BEGIN; CREATE TABLE ${table} ()`)
    const ending = {
      async query(sql: string) {
        if (sql !== 'COMMIT') return client.query(sql)
        await end(client)
        throw lost
      },
    } as PostgresClient
    return { ending, client }
  }
  const whole = await commitOf('whole', (client) => client.query('COMMIT'))
  await commit(whole.ending, reconnect)
  expect(await isThere('whole')).toBe(true)

  const cut = await commitOf('cut', (client) => client.end())
  await expect(commit(cut.ending, reconnect)).rejects.toBe(lost)
  expect(await isThere('cut')).toBe(false)

  const unknown = await commitOf('unknown', (client) => client.end())
  await expect(commit(unknown.ending, () => Promise.reject(lost))).rejects.toMatchObject({
    code: 'OUTGROW_POSTGRES_LOST',
    why: expect.stringContaining('all of the backup, or'),
  })
  await whole.client.end()
})
