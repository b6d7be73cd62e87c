import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import {
  openSqlite,
  openSqliteReadonly,
  quoteIdentifier,
  withPostgres,
  type PostgresClient,
  type SqliteDatabase,
} from '@outgrow/databases'
import { introspectSchema, schemaSourceOf, type SchemaSource } from '@outgrow/schema'
import { makeSqlite } from '@outgrow/testing'
import { cancelGraduation } from '../src/flows/live/cancel.ts'
import { cutOver, settle } from '../src/flows/live/follow.ts'
import { openSession } from '../src/flows/live/open-session.ts'
import { reachFollowing } from '../src/flows/live/reach-following.ts'
import { rollBack } from '../src/flows/live/roll-back.ts'
import { strictOptions, type MoveOptions } from '../src/model/options.ts'
import { refusedTypes } from '../src/source/sqlite/refused-types.ts'
import { verifyLive } from '../src/steps/live/verify-live.ts'
import { emptyTarget, sqliteSchema } from './move.ts'

const none = () => {}
const { signal } = new AbortController()

interface Journey {
  role?: 'superuser' | 'owner'
  sql: string
  schema?: string
  options?: Partial<MoveOptions>
  /** Done before anything else. */
  prepare?: (client: PostgresClient) => Promise<unknown>
  /** What the application does while it is followed. */
  inFile: (database: SqliteDatabase) => void
  /** And after the switch. */
  inPostgres: (client: PostgresClient) => Promise<unknown>
}

const contents = (file: string) => {
  const database = openSqliteReadonly(file)
  const names = database
    .prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_outgrow%' ESCAPE '\\' AND name NOT LIKE 'sqlite%' ORDER BY name",
    )
    .pluck()
    .all() as string[]
  const rows = names.map((name) => {
    const columns = database.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(name) as string[]
    const quoted = columns.map((column) => `quote(${quoteIdentifier(column)})`).join(` || ',' || `)
    return [
      name,
      database
        .prepare(`SELECT ${quoted} FROM ${quoteIdentifier(name)} ORDER BY 1`)
        .pluck()
        .all(),
    ]
  })
  database.close()
  return Object.fromEntries(rows) as Record<string, string[]>
}

/** The URL of a role that owns the database, and may do nothing else. */
async function asOwner(url: string): Promise<string> {
  const owned = new URL(url)
  const name = `owner_${owned.pathname.slice(1)}`
  await withPostgres(url, (client) =>
    client.query(
      `CREATE ROLE ${name} LOGIN PASSWORD 'secret'; ALTER DATABASE ${owned.pathname.slice(1)} OWNER TO ${name}`,
    ),
  )
  owned.username = name
  owned.password = 'secret'
  return owned.href
}

/** Forward and back; what both sides have is compared whole at each turn. */
async function thereAndBack({ sql, schema, options, prepare, inFile, inPostgres, role }: Journey) {
  const from = makeSqlite(sql, (database) => database.pragma('journal_mode = WAL'))
  const { url } = await emptyTarget()
  const to = role === 'owner' ? await asOwner(url) : url
  if (prepare) await withPostgres(to, prepare)
  const source: SchemaSource =
    schema === undefined
      ? schemaSourceOf(introspectSchema(from, refusedTypes).text, dirname(from))
      : schemaSourceOf(sqliteSchema(schema), dirname(from))
  const whole = { ...strictOptions, ...options }
  const folder = join(dirname(from), 'graduations')
  await reachFollowing({
    from,
    to,
    schema: source,
    options: whole,
    folder,
    maxLog: 100_000,
    writesHistory: false,
    progress: none,
    signal,
  })
  const application = openSqlite(from)
  inFile(application)
  const ends = { from, to, progress: none, signal }
  {
    await using session = await openSession(ends)
    await settle(session, none)
    expect((await verifyLive(session)).findings).toEqual([])
    expect((await cutOver(session, { budgetMs: 60_000, attempts: 1 }, none)).findings).toEqual([])
  }
  const before = contents(from)
  await withPostgres(to, inPostgres)
  {
    await using session = await openSession(ends)
    expect((await rollBack(session, { budgetMs: 60_000, attempts: 1 }, none)).findings).toEqual([])
  }
  const after = contents(from)
  expect(application.pragma('integrity_check', { simple: true })).toBe('ok')
  application.close()
  const bare = Object.fromEntries(
    Object.entries(before).map(([name, rows]) => [name.replace(/^_graduated_/, ''), rows]),
  )
  return { ends, folder, before: bare, after }
}

/** Forward, back and forward again. */
async function journey(plan: Journey) {
  const { ends, before, after } = await thereAndBack(plan)
  await using session = await openSession(ends)
  expect((await verifyLive(session)).findings).toEqual([])
  expect((await cutOver(session, { budgetMs: 60_000, attempts: 1 }, none)).findings).toEqual([])
  const file = openSqliteReadonly(ends.from)
  expect(file.pragma('integrity_check', { simple: true })).toBe('ok')
  file.close()
  return { ...ends, before, after }
}

test('composite keys without a rowid, collations, large integers, blobs and odd names go there and back', async () => {
  const { before, after } = await journey({
    sql: `CREATE TABLE "odd ""name" (region TEXT NOT NULL, "n" BIGINT NOT NULL, payload BLOB, label TEXT COLLATE NOCASE UNIQUE, PRIMARY KEY (region, "n")) WITHOUT ROWID;
      INSERT INTO "odd ""name" VALUES ('a', 9007199254740993, x'00ff', 'One'), ('a', -9223372036854775808, NULL, 'Two'), ('B', 1, x'', NULL);
      CREATE TABLE plain (code TEXT PRIMARY KEY NOT NULL, price DECIMAL, flag BOOLEAN, at DATETIME, doc JSONB);
      INSERT INTO plain VALUES ('x', 1.50, 1, 1700000000000, '{"a" : 1}'), ('y', 2, 0, 1700000000001, '[]'), ('é', NULL, NULL, NULL, NULL)`,
    inFile: (database) =>
      database.exec(`INSERT OR REPLACE INTO "odd ""name" VALUES ('c', 7, x'01', 'ONE'); UPDATE "odd ""name" SET "n" = 9007199254740995 WHERE "n" < 0;
        UPDATE plain SET code = upper(code) WHERE code = 'x'; UPDATE plain SET doc = '{"b":[1.0, 2]}' WHERE code = 'y'`),
    inPostgres: async (client) => {
      await client.query(
        `UPDATE plain SET flag = NOT flag, price = 12.25 WHERE code = 'y'; UPDATE plain SET at = '2026-01-02 03:04:05.678+00' WHERE code = 'é'`,
      )
      await client.query(
        `DELETE FROM "odd ""name" WHERE region = 'B'; INSERT INTO "odd ""name" VALUES ('d', 9007199254740997, '\\xdead', 'Two2')`,
      )
    },
  })
  expect(before.plain).toContain(`'X',1.5,1,1700000000000,'{"a" : 1}'`)
  expect(after.plain).toEqual([
    `'X',1.5,1,1700000000000,'{"a" : 1}'`,
    `'y',12.25,1,1700000000001,'{"b":[1.0, 2]}'`,
    `'é',NULL,NULL,1767323045678,NULL`,
  ])
  expect(after['odd "name']).toEqual([
    `'a',9007199254740995,NULL,'Two'`,
    `'c',7,X'01','ONE'`,
    `'d',9007199254740997,X'DEAD','Two2'`,
  ])
})

/** A target with tables of its own, and what it has beside their columns. */
const ownTables: Journey = {
  sql: `CREATE TABLE "Post" (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, authorId INTEGER NOT NULL REFERENCES "Author"(id) ON DELETE CASCADE);
      CREATE TABLE "Author" (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
      INSERT INTO "Author" (name) VALUES ('Ann'), ('Ben'); INSERT INTO "Post" (title, authorId) VALUES ('one', 1), ('two', 2), ('three', 2)`,
  schema: `model Author {
  id Int @id @default(autoincrement())
  name String
  posts Post[]
}

model Post {
  id Int @id @default(autoincrement())
  title String
  authorId Int
  author Author @relation(fields: [authorId], references: [id], onDelete: Cascade)
}
`,
  prepare: (client) =>
    client.query(`CREATE TABLE "Author" (id SERIAL PRIMARY KEY, name TEXT NOT NULL);
        CREATE TABLE "Post" (id SERIAL PRIMARY KEY, title TEXT NOT NULL, "authorId" INTEGER NOT NULL);
        ALTER TABLE "Post" ADD CONSTRAINT "Post_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "Author"(id) ON DELETE CASCADE ON UPDATE CASCADE;
        CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.title := upper(NEW.title); RETURN NEW; END $$;
        CREATE TRIGGER shouting BEFORE INSERT OR UPDATE ON "Post" FOR EACH ROW EXECUTE FUNCTION shout();
        ALTER TABLE "Post" ENABLE ROW LEVEL SECURITY; CREATE POLICY everything ON "Post" USING (true); COMMENT ON TABLE "Author" IS 'who writes'`),
  inFile: (database) => {
    database.pragma('foreign_keys = ON')
    database.exec(
      `DELETE FROM "Author" WHERE name = 'Ben'; INSERT INTO "Author" (name) VALUES ('Cleo'); INSERT INTO "Post" (title, authorId) VALUES ('quiet', 3)`,
    )
  },
  inPostgres: (client) =>
    client.query(
      `INSERT INTO "Post" (title, "authorId") VALUES ('loud', 3); UPDATE "Author" SET id = 10 WHERE id = 3; DELETE FROM "Author" WHERE id = 1`,
    ),
}

const ownProperties = (to: string) =>
  withPostgres(to, async (client) => {
    const { rows } =
      await client.query(`SELECT (SELECT tgname FROM pg_trigger WHERE tgname = 'shouting' AND tgenabled = 'O') AS trigger, relrowsecurity, obj_description('"Author"'::regclass) AS comment,
      (SELECT convalidated FROM pg_constraint WHERE conname = 'Post_authorId_fkey') AS checked FROM pg_class WHERE oid = '"Post"'::regclass`)
    return rows
  })

test.each(['superuser', 'owner'] as const)(
  'the tables of the target’s own migrations keep what they have, there and back, as its %s',
  async (role) => {
    const { to, after } = await journey({ ...ownTables, role })
    expect(after).toEqual({ Author: [`10,'Cleo'`], Post: [`4,'QUIET',10`, `5,'LOUD',10`] })
    expect(await ownProperties(to)).toEqual([
      { trigger: 'shouting', relrowsecurity: true, comment: 'who writes', checked: true },
    ])
  },
)

test('a graduation that is taken back after a way back leaves the target its own tables, empty', async () => {
  const { ends, folder, after } = await thereAndBack(ownTables)
  const { to } = ends
  await cancelGraduation({ ...ends, folder })
  expect(after.Author).toEqual([`10,'Cleo'`])
  expect(await ownProperties(to)).toEqual([
    { trigger: 'shouting', relrowsecurity: true, comment: 'who writes', checked: true },
  ])
  const left = await withPostgres(to, (client) =>
    client.query(`INSERT INTO "Author" (name) VALUES ('first') RETURNING id, (SELECT count(*)::int FROM "Post") AS posts,
      (SELECT count(*)::int FROM pg_trigger WHERE tgname LIKE '\\_outgrow%') + (SELECT count(*)::int FROM pg_namespace WHERE nspname LIKE '\\_outgrow%') AS ours`),
  )
  expect(left.rows).toEqual([{ id: 1, posts: 0, ours: 0 }])
})

test('a column that the server casts, unique values that rows swap, TRUNCATE, and keys that only differ by case', async () => {
  const { after } = await journey({
    sql: `CREATE TABLE host (id INTEGER PRIMARY KEY NOT NULL, ip TEXT, rank INTEGER NOT NULL UNIQUE);
      INSERT INTO host VALUES (1, '10.0.0.1', 1), (2, '10.0.0.2', 2), (3, NULL, 3);
      CREATE TABLE tag (name TEXT NOT NULL PRIMARY KEY); INSERT INTO tag VALUES ('a'), ('A'), ('b')`,
    options: { casts: new Map([['host.ip', 'inet']]) },
    inFile: (database) =>
      database.exec(`BEGIN; UPDATE host SET rank = -1 WHERE id = 1; UPDATE host SET rank = 1 WHERE id = 2; UPDATE host SET rank = 2 WHERE id = 1; COMMIT;
        INSERT INTO host VALUES (4, '192.168.0.0/16', 4); DELETE FROM tag WHERE name = 'A'`),
    inPostgres: (client) =>
      client.query(`BEGIN; UPDATE host SET rank = -1 WHERE id = 1; UPDATE host SET rank = 2 WHERE id = 2; UPDATE host SET rank = 1 WHERE id = 1; COMMIT;
        UPDATE host SET ip = '10.9.9.9' WHERE id = 3; TRUNCATE tag; INSERT INTO tag VALUES ('A'), ('z')`),
  })
  expect(after).toEqual({
    host: [`1,'10.0.0.1',1`, `2,'10.0.0.2',2`, `3,'10.9.9.9',3`, `4,'192.168.0.0/16',4`],
    tag: [`'A'`, `'z'`],
  })
})

test('rows that were put in behind others do not take the places of those that come back', async () => {
  const { before, after } = await journey({
    sql: `CREATE TABLE tag (name TEXT NOT NULL PRIMARY KEY, n INTEGER); INSERT INTO tag VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 4)`,
    inFile: (database) => database.exec(`DELETE FROM tag WHERE name = 'b'`),
    // In this order they come back from Postgres: what is new first, then the last row of the file.
    inPostgres: (client) =>
      client.query(
        `DELETE FROM tag WHERE name IN ('c', 'd'); INSERT INTO tag VALUES ('new', 5), ('newer', 6), ('c', 7), ('d', 8)`,
      ),
  })
  expect(before.tag).toEqual([`'a',1`, `'c',3`, `'d',4`])
  expect(after.tag).toEqual([`'a',1`, `'c',7`, `'d',8`, `'new',5`, `'newer',6`])
})

test.each([
  [
    'a CHECK that Postgres does not have',
    `CREATE TABLE doc (id INTEGER PRIMARY KEY, body TEXT CHECK (json_valid(body)))`,
    `INSERT INTO doc (id, body) VALUES (7, 'b')`,
    'The row id=7 of doc in Postgres cannot go into the SQLite file: CHECK constraint failed',
  ],
  [
    'a number that the column rounds',
    `CREATE TABLE price (code TEXT PRIMARY KEY NOT NULL, amount DECIMAL, note TEXT)`,
    `INSERT INTO price VALUES ('x', 12345678901234567890.123, 'y')`,
    'cannot be held by the SQLite file as it is: amount of the row code=x.',
  ],
  [
    'a key that is NULL',
    `CREATE TABLE person (name TEXT UNIQUE, n INTEGER)`,
    `INSERT INTO person VALUES (NULL, 1)`,
    '1 row of person in Postgres cannot go into the SQLite file: NULL in name.',
  ],
])('%s refuses the way back with the row, until it is changed', async (_, table, insert, message) => {
  const journeyBack = journey({ sql: table, inFile: none, inPostgres: (client) => client.query(insert) })
  await expect(journeyBack).rejects.toThrow(message)
})
