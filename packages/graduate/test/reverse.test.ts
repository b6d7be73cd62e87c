import { dirname, join } from 'node:path'
import { openSqlite, openSqliteForLock, withPostgres } from '@outgrow/databases'
import { schemaSourceOf } from '@outgrow/schema'
import { makeSqlite, temporaryFolder } from '@outgrow/testing'
import { describe, expect, test } from 'vitest'
import { emptyTarget, move, postgresSchema, sqliteSchema } from './move.ts'
import {
  ask,
  beside,
  failureOf,
  filledPostgres,
  newPath,
  people,
  reverse,
  reverseFrom,
  threePeople,
} from './reverse.ts'

test('tables arrive with their keys, references, indexes and counters', async () => {
  const { path, result } = await reverse({
    schema: people,
    fill: `${threePeople}; INSERT INTO "Person" (email) VALUES ('gone'); DELETE FROM "Person" WHERE email = 'gone'`,
  })
  expect([result.exitCode, result.findings, result.notes]).toEqual([0, [], []])
  expect(ask(path, 'SELECT * FROM "Person" ORDER BY id')).toEqual([
    { id: 1n, email: 'a', bossId: null },
    { id: 2n, email: 'b', bossId: 1n },
    { id: 3n, email: 'c', bossId: 2n },
  ])
  const file = openSqlite(path)
  expect(file.prepare('INSERT INTO "Person" (email) VALUES (?)').run('d').lastInsertRowid).toBe(5)
  expect(() => file.exec(`INSERT INTO "Person" (email) VALUES ('a')`)).toThrow('UNIQUE')
  expect(() => file.exec(`INSERT INTO "Person" (email, "bossId") VALUES ('x', 99)`)).toThrow('FOREIGN KEY')
  expect(file.pragma('integrity_check', { simple: true })).toBe('ok')
  file.close()
  expect(beside(path)).toEqual(['app.db'])
})

test('odd names, keys of several columns, circles of references and hidden join tables arrive', async () => {
  const schema = postgresSchema(`model Left {
  a     Int
  b     String  @map("the \\"b\\" of it's")
  right Right?  @relation("one", fields: [rightId], references: [id])
  rightId Int?  @map("select")
  back  Right[] @relation("two")
  tags  Tag[]
  id    Int     @unique
  @@id([a, b])
  @@map("order 'of' \\"things\\" 😀")
}
model Right {
  id    Int    @id
  left  Left?  @relation("two", fields: [leftA, leftB], references: [a, b])
  leftA Int?
  leftB String?
  all   Left[] @relation("one")
}
model Tag {
  name  String @id
  lefts Left[]
  @@map("Tag%s; --")
}`)
    .replace('  tags  Tag[]\n', '')
    .replace('  lefts Left[]\n', '  sides Side[]\n')
    .concat('\nmodel Side {\n  id Int @id\n  tags Tag[]\n}\n')
  const { path, result } = await reverse({
    schema,
    fill: `BEGIN; SET CONSTRAINTS ALL DEFERRED;
      INSERT INTO "Right" VALUES (1, NULL, NULL);
      INSERT INTO "order 'of' ""things"" 😀" VALUES (1, 'x', 1, 7);
      UPDATE "Right" SET "leftA" = 1, "leftB" = 'x';
      INSERT INTO "Tag%s; --" VALUES ('t'), ('u'); INSERT INTO "Side" VALUES (1), (2);
      INSERT INTO "_SideToTag" VALUES (1, 't'), (2, 't'), (2, 'u'); COMMIT`,
  })
  expect([result.exitCode, result.findings]).toEqual([0, []])
  expect(ask(path, `SELECT * FROM "order 'of' ""things"" 😀"`)).toEqual([
    { a: 1n, 'the "b" of it\'s': 'x', select: 1n, id: 7n },
  ])
  expect(ask(path, 'SELECT * FROM "Right"')).toEqual([{ id: 1n, leftA: 1n, leftB: 'x' }])
  expect(ask(path, 'SELECT * FROM "_SideToTag" ORDER BY 1, 2')).toEqual([
    { A: 1n, B: 't' },
    { A: 2n, B: 't' },
    { A: 2n, B: 'u' },
  ])
})

describe('what Postgres has beyond the schema', () => {
  const foreign = `CREATE TABLE audit (n int); INSERT INTO audit VALUES (1);
    CREATE SCHEMA auth; CREATE TABLE auth.users (id int); INSERT INTO auth.users VALUES (1);
    ALTER TABLE "Person" ADD nick text; UPDATE "Person" SET nick = 'x' WHERE id = 1`

  test('rows and values stop it, and nothing is left behind', async () => {
    const path = newPath()
    const failure = await failureOf(
      reverse({ schema: people, fill: `${threePeople}; ${foreign}`, more: { to: path } }),
    )
    expect(failure.code).toBe('OUTGROW_SCHEMA_DRIFT')
    expect(failure.findings.map(({ table, column, fixes }) => [table, column, fixes])).toEqual([
      ['audit', null, ['--skip-table audit']],
      ['auth.users', null, ['--skip-table auth.users']],
      ['Person', 'nick', ['--skip-column Person.nick']],
    ])
    expect(beside(path)).toEqual([])
  })

  test('they are left out by name, whole schemas too', async () => {
    const { path, result } = await reverse({
      schema: people,
      fill: `${threePeople}; ${foreign}`,
      more: {
        skip: {
          skipTables: new Set(['audit', 'auth.*', 'Persn']),
          skipColumns: new Set(['Person.nick']),
        },
      },
    })
    expect([result.exitCode, result.findings]).toEqual([0, []])
    expect(result.notes).toEqual(['Skipping Persn does nothing: there is no such table or column.'])
    expect(ask(path, 'SELECT count(*) AS n FROM "Person"')).toEqual([{ n: 3n }])
  })

  test('what holds nothing, views, code, rules, rights and indexes are named', async () => {
    const { result } = await reverse({
      schema: people,
      fill: `${threePeople}; CREATE TABLE empty (n int); ALTER TABLE "Person" ADD nick text;
        CREATE SEQUENCE tickets; SELECT lo_create(4711);
        CREATE VIEW bosses AS SELECT * FROM "Person"; CREATE MATERIALIZED VIEW stored AS SELECT 1 AS one;
        CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER loud BEFORE INSERT ON "Person" FOR EACH ROW EXECUTE FUNCTION shout();
        ALTER TABLE "Person" ADD CONSTRAINT short CHECK (length(email) < 99);
        CREATE UNIQUE INDEX folded ON "Person" (lower(email)); CREATE INDEX partial ON "Person" (email) WHERE "bossId" IS NULL;
        ALTER TABLE "Person" ADD CONSTRAINT pair UNIQUE (email, "bossId");
        ALTER TABLE "Person" DROP CONSTRAINT "Person_bossId_fkey";
        ALTER TABLE "Person" ADD CONSTRAINT boss FOREIGN KEY ("bossId") REFERENCES "Person" ON DELETE CASCADE ON UPDATE CASCADE;
        ALTER TABLE "Person" ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON "Person" USING (true);
        GRANT SELECT ON "Person" TO PUBLIC`,
    })
    expect(result.exitCode).toBe(4)
    expect(result.findings.map(({ code, reason }) => `${code} ${reason}`).toSorted()).toEqual([
      'OUTGROW_CONSTRAINT_LOST check constraint short of Postgres is not in the file',
      'OUTGROW_CONSTRAINT_LOST foreign key boss of Postgres is not in the file',
      'OUTGROW_CONSTRAINT_LOST unique index folded of Postgres is not in the file',
      'OUTGROW_CONSTRAINT_LOST unique key pair of Postgres is not in the file',
      'OUTGROW_OBJECT_LEFT function shout of Postgres is not in the file',
      'OUTGROW_OBJECT_LEFT index partial of Postgres is not in the file',
      'OUTGROW_OBJECT_LEFT is a column of Postgres that holds nothing and is not in the schema of the file',
      'OUTGROW_OBJECT_LEFT is a table of Postgres that holds nothing and is not in the schema of the file',
      'OUTGROW_OBJECT_LEFT large object 4711 of Postgres is not in the file',
      'OUTGROW_OBJECT_LEFT row security policy Person.mine of Postgres is not in the file',
      'OUTGROW_OBJECT_LEFT sequence tickets of Postgres is not in the file',
      'OUTGROW_OBJECT_LEFT trigger Person.loud of Postgres is not in the file',
      'OUTGROW_OBJECT_LEFT view bosses of Postgres is not in the file',
      'OUTGROW_OBJECT_LEFT view stored of Postgres is not in the file',
    ])
    expect(result.notes).toEqual(['Rights of other roles on a table stay behind: SQLite has no roles.'])
  })

  test('a partitioned table is read once, and rows of a table that inherits are its own', async () => {
    const schema = postgresSchema('model Event {\n  id Int @id\n}\nmodel Base {\n  id Int @id\n}')
    const ddl = `CREATE TABLE "Event" (id int PRIMARY KEY) PARTITION BY RANGE (id);
      CREATE TABLE low PARTITION OF "Event" FOR VALUES FROM (0) TO (10); CREATE TABLE high PARTITION OF "Event" DEFAULT;
      CREATE TABLE "Base" (id int PRIMARY KEY); CREATE TABLE child () INHERITS ("Base")`
    const fill =
      'INSERT INTO "Event" VALUES (1), (11); INSERT INTO "Base" VALUES (1); INSERT INTO child VALUES (2)'
    const failure = await failureOf(reverse({ schema, ddl, fill }))
    expect(failure.findings.map(({ table }) => table)).toEqual(['child'])
    const { path } = await reverse({ schema, ddl, fill, more: { skip: { skipTables: new Set(['child']) } } })
    expect(ask(path, 'SELECT id FROM "Event" UNION ALL SELECT id FROM "Base" ORDER BY 1')).toEqual([
      { id: 1n },
      { id: 1n },
      { id: 11n },
    ])
  })
})

test('moments are written as the client of the project writes them', async () => {
  const text = postgresSchema('model Event {\n  at DateTime @id @db.Timestamptz(3)\n}')
  const forms = []
  for (const [major, generator] of [
    [7, 'provider = "prisma-client-js"'],
    [6, 'provider = "prisma-client-js"\n  previewFeatures = ["driverAdapters"]'],
    [6, 'provider = "prisma-client-js"'],
  ] as const) {
    const source = schemaSourceOf(`generator client {\n  ${generator}\n}\n${text}`, temporaryFolder())
    const { path } = await reverse({
      schema: text,
      fill: `INSERT INTO "Event" VALUES ('2024-02-29 12:30:00.123Z')`,
      more: { schema: { ...source, prisma: { major, minor: 16 } } },
    })
    forms.push(ask(path, 'SELECT at FROM "Event"'))
  }
  const iso = [{ at: '2024-02-29T12:30:00.123+00:00' }]
  expect(forms).toEqual([iso, iso, [{ at: 1709209800123n }]])
})

test('a Postgres that was moved from a file goes back, and says what the move had quarantined', async () => {
  const schema = sqliteSchema('model Note {\n  id   Int    @id\n  done Boolean\n}')
  const from = makeSqlite(
    `CREATE TABLE "Note" (id INTEGER PRIMARY KEY, done BOOLEAN NOT NULL); INSERT INTO "Note" VALUES (1, 1), (2, 'maybe'), (3, 0)`,
  )
  const target = await emptyTarget()
  await move(from, target.url, schema, { onBadValue: 'quarantine' })
  const path = newPath()
  const { findings, notes } = await reverseFrom(target.url, schema, { to: path })
  await target.drop()
  expect([findings, notes]).toEqual([[], ['1 quarantined row stays behind, in _outgrow_quarantine.']])
  expect(ask(path, 'SELECT * FROM "Note"')).toEqual([
    { id: 1n, done: 1n },
    { id: 3n, done: 0n },
  ])
})

test('what the schema has and Postgres lacks stops it', async () => {
  const schema = people
    .replace('  email String', '  phone String?\n  email String')
    .concat('model Extra {\n  id Int @id\n}\n')
  const database = await filledPostgres({ schema: people, fill: threePeople })
  const failure = await failureOf(reverseFrom(database.url, schema, { to: newPath() }))
  await database.drop()
  expect(failure.findings.map(({ table, column, reason }) => [table, column, reason])).toEqual([
    ['Person', 'phone', 'This column is in the schema but not in Postgres.'],
    ['Extra', null, 'This table is in the schema but not in Postgres.'],
  ])
})

test('a column of another type than the schema has stops it', async () => {
  const schema = postgresSchema('model T {\n  id Int @id\n  n Int\n  s String\n  d DateTime\n}')
  const failure = await failureOf(
    reverse({ schema, ddl: 'CREATE TABLE "T" (id int PRIMARY KEY, n int8, s cidr, d text)', fill: '' }),
  )
  expect(failure.findings.map(({ column, reason }) => [column, reason])).toEqual([
    ['n', 'This column is bigint in Postgres, but Int in the schema.'],
    ['d', 'This column is text in Postgres, but DateTime in the schema.'],
  ])
})

test('rows that point nowhere, and rows that a key of the file does not take, are named', async () => {
  const failure = await failureOf(
    reverse({
      schema: people,
      fill: `ALTER TABLE "Person" DROP CONSTRAINT "Person_bossId_fkey"; DROP INDEX "Person_email_key";
        INSERT INTO "Person" VALUES (1, 'a', 7), (2, 'a', NULL), (3, 'b', 8)`,
    }),
  )
  expect(failure.code).toBe('OUTGROW_BAD_VALUES')
  expect(failure.findings.map(({ code, count, keys }) => [code, count, keys])).toEqual([
    ['OUTGROW_DUPLICATE', 1, [{ email: 'a' }]],
    ['OUTGROW_ORPHAN', 2, [{ id: 1 }, { id: 3 }]],
  ])
})

test('it sees one state of a Postgres that is written to meanwhile', async () => {
  const database = await filledPostgres({ schema: people, fill: threePeople })
  const path = newPath()
  await withPostgres(database.url, async (writer) => {
    await reverseFrom(database.url, people, {
      to: path,
      onStep: async (title) => {
        await writer.query(`INSERT INTO "Person" (email) VALUES ($1); `, [title])
        await writer.query(`UPDATE "Person" SET email = email || '!'`)
      },
    })
  })
  await database.drop()
  // The state is that of the end of the first step, before which it has written once.
  expect(ask(path, 'SELECT email FROM "Person" ORDER BY id').map(({ email }) => email)).toEqual([
    'a!',
    'b!',
    'c!',
    'Begin a snapshot of Postgres!',
  ])
})

test('a value of the file that is not what Postgres has is found before the file is put in its place', async () => {
  const database = await filledPostgres({ schema: people, fill: threePeople })
  const path = newPath()
  const failure = await failureOf(
    reverseFrom(database.url, people, {
      to: path,
      onStep: (title) => {
        if (title !== 'Compare both databases') return
        const [part = ''] = beside(path)
        const file = openSqliteForLock(join(dirname(path), part))
        file.exec(`UPDATE "Person" SET email = 'B' WHERE id = 2; DELETE FROM "Person" WHERE id = 3`)
        file.close()
      },
    }),
  )
  await database.drop()
  expect(failure.code).toBe('OUTGROW_VERIFY_MISMATCH')
  expect(failure.findings.map(({ code, column, keys }) => [code, column, keys])).toEqual([
    ['OUTGROW_ROW_DIFFERS', 'email', [{ id: 2 }]],
    ['OUTGROW_ROW_MISSING', null, [{ id: 3 }]],
  ])
  expect(beside(path)).toEqual([])
})
