import { makeSqlite } from '@outgrow/testing'
import { openSqlite, withPostgres } from '@outgrow/databases'
import { diffDatamodels, renderDialects, schemaSourceOf } from '@outgrow/schema'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { inspectSource } from '../src/index.ts'
import {
  emptyTarget,
  findingsOf,
  move,
  plainOptions,
  postgresSchema,
  sqliteSchema,
  verifyMove,
} from './move.ts'

const names = sqliteSchema(`enum Kind {
  PLAIN @map("a plain one")
  OTHER
}
model Person {
  id       Int      @id @default(autoincrement())
  select   String   @map("Select")
  spaced   String?  @map("a \\"quoted\\" name")
  kind     Kind     @default(PLAIN)
  bossId   Int?
  boss     Person?  @relation("boss", fields: [bossId], references: [id], onDelete: SetNull)
  reports  Person[] @relation("boss")
  favoriteId Int?   @unique
  favorite Thing?   @relation("favorite", fields: [favoriteId], references: [id])
  things   Thing[]  @relation("owner")
  tags     Tag[]
  at       DateTime @default(now())
  @@unique([select, spaced])
  @@index([at(sort: Desc)])
  @@map("User Table")
}
model Thing {
  id      Int     @id @default(autoincrement())
  ownerId Int
  owner   Person  @relation("owner", fields: [ownerId], references: [id], onDelete: Cascade)
  fan     Person? @relation("favorite")
  @@map("order")
}
model Tag {
  a      String
  b      Int
  people Person[]
  x      Int @unique
  @@id([a, b])
}
`)
  .replace('  people Person[]\n', '')
  .replace('  tags     Tag[]\n', '')

async function fileWith(schema: string, rows: string): Promise<string> {
  const { sqlite } = renderDialects(schemaSourceOf(schema))
  return makeSqlite(`${await diffDatamodels('sqlite', undefined, sqlite)};${rows}`)
}

const rows = `
INSERT INTO "User Table" (id, "Select", "a ""quoted"" name", kind, bossId, favoriteId, at) VALUES
  (1, 'x', 'y', 'a plain one', 2, 10, 1697658213523), (2, 'x', 'z', 'OTHER', 1, NULL, '2023-01-01');
INSERT INTO "order" VALUES (10, 1), (11, 2);
INSERT INTO "Tag" VALUES ('a', 1, 5);
UPDATE sqlite_sequence SET seq = 40 WHERE name = 'order';`

/** Everything about the tables of a schema that must survive, as text. */
const structureSql = `
SELECT string_agg(line, E'\\n' ORDER BY line) AS text FROM (
  SELECT format('column %s.%s %s %s %s', table_name, column_name, udt_name, is_nullable, column_default) AS line
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_prisma_migrations'
  UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'
  UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid <> coalesce(to_regclass('_prisma_migrations')::oid, 0)
  UNION ALL SELECT format('enum %s %s', typname, (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
    FROM pg_type t WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
  UNION ALL SELECT format('sequence %s of %s.%s', s.relname, c.relname, a.attname) FROM pg_depend d
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_class c ON c.oid = d.refobjid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
    WHERE d.deptype = 'a' AND s.relnamespace = 'public'::regnamespace) x`

const structureOf = (url: string) =>
  withPostgres(url, async (client) => (await client.query<{ text: string }>(structureSql)).rows[0]?.text)

test('names, keys, indexes, defaults, cycles and self references survive, and counters go on', async () => {
  const from = await fileWith(names, rows)
  const before = createHash('sha256').update(readFileSync(from)).digest('hex')
  const [target, expected] = [await emptyTarget(), await emptyTarget()]
  await move(from, target.url, names)
  const { postgres } = renderDialects(schemaSourceOf(names))
  const ddl = await diffDatamodels('postgres', undefined, postgres)
  await withPostgres(expected.url, (client) => client.query(ddl))

  expect(await structureOf(target.url)).toBe(await structureOf(expected.url))
  expect(
    await target.query(`SELECT nextval('"order_id_seq"') AS thing, nextval('"User Table_id_seq"') AS person`),
  ).toEqual([{ thing: '41', person: '3' }])
  expect(
    await target.query('SELECT "a ""quoted"" name" AS name, kind, "bossId" FROM "User Table" ORDER BY id'),
  ).toEqual([
    { name: 'y', kind: 'a plain one', bossId: 2 },
    { name: 'z', kind: 'OTHER', bossId: 1 },
  ])
  expect(createHash('sha256').update(readFileSync(from)).digest('hex')).toBe(before)
  await Promise.all([target.drop(), expected.drop()])
})

test('an empty history becomes 0_init, written beside the schema and recorded with its checksum', async () => {
  const from = await fileWith(names, rows)
  const target = await emptyTarget()
  await move(from, target.url, names)
  const file = join(dirname(from), 'postgres/migrations/0_init/migration.sql')
  expect(existsSync(file)).toBe(true)
  const checksum = createHash('sha256').update(readFileSync(file)).digest('hex')
  expect(
    await target.query(
      'SELECT migration_name, checksum, finished_at IS NOT NULL AS done FROM _prisma_migrations',
    ),
  ).toEqual([{ migration_name: '0_init', checksum, done: true }])
  await target.drop()
})

test('a target that was migrated beforehand is filled and ends identical in structure', async () => {
  const from = await fileWith(names, rows)
  const [target, expected] = [await emptyTarget(), await emptyTarget()]
  const { postgres } = renderDialects(schemaSourceOf(names))
  const ddl = `${await diffDatamodels('postgres', undefined, postgres)};
    ALTER TABLE "Tag" ADD CONSTRAINT positive CHECK (b > 0);
    CREATE INDEX partial ON "User Table" (lower("Select")) WHERE kind = 'OTHER';
    CREATE TABLE _prisma_migrations (id VARCHAR(36) PRIMARY KEY, checksum VARCHAR(64) NOT NULL, migration_name VARCHAR(255) NOT NULL)`
  for (const one of [target, expected]) await withPostgres(one.url, (client) => client.query(ddl))
  await move(from, target.url, names)
  expect(await structureOf(target.url)).toBe(await structureOf(expected.url))
  expect(await target.query(`SELECT nextval('"order_id_seq"') AS thing, count(*) FROM "order"`)).toEqual([
    { thing: '41', count: '2' },
  ])
  await Promise.all([target.drop(), expected.drop()])
})

test('what cannot be moved into is refused by name, and left as it was', async () => {
  const from = await fileWith(names, rows)
  const target = await emptyTarget()
  await target.query('CREATE TABLE stray (id int)')
  await expect(move(from, target.url, names)).rejects.toMatchObject({
    code: 'OUTGROW_TARGET_NOT_EMPTY',
    message: expect.stringContaining('stray') as string,
  })
  await target.query('DROP TABLE stray')
  const { run } = await move(from, target.url, names)
  expect(await move(from, target.url, names)).toMatchObject({ run, wasPublished: true, findings: [] })
  const file = openSqlite(from)
  file.exec('INSERT INTO "Tag" VALUES (\'b\', 1, 6)')
  file.close()
  await expect(move(from, target.url, names)).rejects.toMatchObject({
    code: 'OUTGROW_TARGET_NOT_EMPTY',
    message: expect.stringContaining('User Table (has rows)') as string,
  })
  await target.drop()
})

test('drift is refused by name until it is skipped by name', async () => {
  const from = await fileWith(names, rows)
  const file = openSqlite(from)
  file.exec(
    'ALTER TABLE "order" ADD COLUMN extra TEXT; CREATE TABLE stray (id INTEGER); CREATE TABLE _litestream_seq (id)',
  )
  file.close()
  const target = await emptyTarget()
  await expect(move(from, target.url, names)).rejects.toMatchObject({
    code: 'OUTGROW_SCHEMA_DRIFT',
    fix: expect.stringContaining('--skip-column order.extra') as string,
    findings: [
      { code: 'OUTGROW_SCHEMA_DRIFT', table: 'order', column: 'extra' },
      { code: 'OUTGROW_SCHEMA_DRIFT', table: 'stray', column: null },
    ],
  })
  const result = await move(from, target.url, names, {
    skipTables: new Set(['stray', 'strai']),
    skipColumns: new Set(['order.extra', 'order.ekstra']),
    casts: new Map([['orders.extra', 'text']]),
  })
  expect(result.notes).toEqual([
    '_litestream_seq stays behind: Litestream’s replication state.',
    '--skip-table strai does nothing: there is no such table.',
    '--skip-column order.ekstra does nothing: there is no such column.',
    '--cast orders.extra does nothing: there is no such column.',
    expect.stringMatching(
      /^Wrote the first Postgres migration, \S+\/migrations\/0_init, and \S+\/schema\.prisma\.$/,
    ),
  ])
  await target.drop()
})

test('tables of several schemas go back to their schemas', async () => {
  const schema = postgresSchema(`model User {
  id   Int @id @default(autoincrement())
  logs Log[]
  @@map("users")
  @@schema("auth")
}
model Log {
  id     Int  @id
  userId Int
  user   User @relation(fields: [userId], references: [id])
  @@map("users")
  @@schema("public")
}
`).replace('provider = "postgresql"', 'provider = "postgresql"\n  schemas = ["auth", "public"]')
  const from = await fileWith(schema, 'INSERT INTO users VALUES (3); INSERT INTO users_2 VALUES (1, 3)')
  const target = await emptyTarget()
  await move(from, target.url, schema)
  expect(
    await target.query('SELECT u.id, l.id AS log FROM auth.users u JOIN public.users l ON l."userId" = u.id'),
  ).toEqual([{ id: 3, log: 1 }])
  expect(
    await target.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE '\\_outgrow%' ORDER BY 1"),
  ).toHaveLength(1)
  await target.drop()
})

const family = sqliteSchema(`model Parent {
  id       Int     @id
  name     String
  children Child[]
}
model Child {
  id       Int     @id
  parentId Int?
  parent   Parent? @relation(fields: [parentId], references: [id])
  toys     Toy[]
}
model Toy {
  id      Int   @id
  childId Int
  child   Child @relation(fields: [childId], references: [id])
}
`)
const familyRows = `INSERT INTO "Parent" VALUES (1, 'ok'), (2, CAST(x'6100' AS TEXT));
INSERT INTO "Child" VALUES (1, 1), (2, 2), (3, 99), (4, NULL);
INSERT INTO "Toy" VALUES (1, 1), (2, 2), (3, 77)`

test('by default everything bad is listed at once: values and references', async () => {
  const target = await emptyTarget()
  const findings = await findingsOf(move(await fileWith(family, familyRows), target.url, family))
  expect(findings.map(({ code, table, column, keys }) => [code, table, column, keys])).toEqual([
    ['OUTGROW_BAD_VALUE', 'Parent', 'name', [{ id: 2 }]],
    ['OUTGROW_ORPHAN', 'Child', 'parentId', [{ id: 3 }]],
    ['OUTGROW_ORPHAN', 'Toy', 'childId', [{ id: 3 }]],
  ])
  expect(await target.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE '\\_outgrow%'")).toEqual([])
  await target.drop()
})

test('orphans alone stop a move too, and their rules settle them', async () => {
  const orphans =
    'INSERT INTO "Parent" VALUES (1, \'ok\'); INSERT INTO "Child" VALUES (1, 1), (3, 99); INSERT INTO "Toy" VALUES (1, 1), (3, 77)'
  const from = await fileWith(family, orphans)
  const target = await emptyTarget()
  expect((await findingsOf(move(from, target.url, family))).map(({ code }) => code)).toEqual([
    'OUTGROW_ORPHAN',
    'OUTGROW_ORPHAN',
  ])
  const result = await move(from, target.url, family, {
    rules: new Set(['orphans-null', 'orphans-quarantine']),
  })
  expect(result.fixes).toContainEqual({ rule: 'orphans-null', table: 'Child', column: 'parentId', count: 1 })
  expect(await target.query("SELECT conname FROM pg_constraint WHERE contype = 'f' ORDER BY 1")).toEqual([
    { conname: 'Child_parentId_fkey' },
    { conname: 'Toy_childId_fkey' },
  ])
  expect(result.tables.find(({ table }) => table === 'Toy')).toEqual({
    table: 'Toy',
    sourceRows: 2,
    targetRows: 1,
    quarantinedRows: 1,
    digestMatch: true,
  })
  expect(await target.query('SELECT id, "parentId" FROM "Child" ORDER BY id')).toEqual([
    { id: 1, parentId: 1 },
    { id: 3, parentId: null },
  ])
  await target.drop()
})

test('a row set aside takes its children with it, to the end of the chain, and verify knows', async () => {
  const from = await fileWith(family, familyRows)
  const target = await emptyTarget()
  const result = await move(from, target.url, family, { onBadValue: 'quarantine' })
  expect(
    await target.query(
      "SELECT table_name, key, reason FROM _outgrow_quarantine ORDER BY table_name, key->>'id'",
    ),
  ).toEqual([
    { table_name: 'Child', key: { id: 2 }, reason: 'parent-quarantined' },
    { table_name: 'Child', key: { id: 3 }, reason: 'references a row of Parent that does not exist' },
    { table_name: 'Parent', key: { id: 2 }, reason: 'contains a NUL byte, which PostgreSQL text cannot' },
    { table_name: 'Toy', key: { id: 2 }, reason: 'parent-quarantined' },
    { table_name: 'Toy', key: { id: 3 }, reason: 'references a row of Child that does not exist' },
  ])
  expect(
    result.tables
      .map(({ table, sourceRows, targetRows, quarantinedRows }) => [
        table,
        sourceRows,
        targetRows,
        quarantinedRows,
      ])
      .toSorted((a, b) => String(a).localeCompare(String(b))),
  ).toEqual([
    ['Child', 4, 2, 2],
    ['Parent', 2, 1, 1],
    ['Toy', 3, 1, 2],
  ])
  const checked = await verifyMove(from, target.url, family)
  expect(checked.tables.every(({ digestMatch }) => digestMatch)).toBe(true)
  await target.query('DELETE FROM "Toy"')
  const again = await verifyMove(from, target.url, family)
  expect(again.findings.map(({ code, table, keys }) => [code, table, keys])).toEqual([
    ['OUTGROW_ROW_MISSING', 'Toy', [{ id: 1 }]],
  ])
  await target.drop()
})

test('duplicates that only Postgres refuses are named, and all but the first are set aside', async () => {
  const schema = postgresSchema('model T {\n  id Int @id\n  email String @unique @db.Citext\n}').replace(
    'provider = "postgresql"',
    'provider = "postgresql"\n  extensions = [citext]',
  )
  const generator =
    'generator c {\n  provider = "prisma-client"\n  output = "./x"\n  previewFeatures = ["postgresqlExtensions"]\n}\n'
  const from = makeSqlite(`CREATE TABLE "T" (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE);
    INSERT INTO "T" VALUES (1, 'a@x.io'), (2, 'A@x.io'), (3, 'b@x.io')`)
  const target = await emptyTarget()
  const findings = await findingsOf(move(from, target.url, generator + schema))
  expect(findings.map(({ code, keys }) => [code, keys])).toEqual([['OUTGROW_DUPLICATE', [{ id: 2 }]]])
  await move(from, target.url, generator + schema, { onBadValue: 'quarantine' })
  expect(await target.query('SELECT id FROM "T" ORDER BY id')).toEqual([{ id: 1 }, { id: 3 }])
  await target.drop()
})

test('an index entry that is too long is named', async () => {
  const schema = sqliteSchema('model T {\n  id Int @id\n  name String @unique\n}')
  const from = makeSqlite(
    'CREATE TABLE "T" (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)',
    (database) => {
      const noise = Array.from(
        { length: 1500 },
        (_, at) => createHash('sha1').update(String(at)).digest('hex')[0],
      ).join('')
      database.prepare('INSERT INTO "T" VALUES (1, ?), (2, ?)').run(
        'short',
        Array.from({ length: 4 }, (_, at) =>
          createHash('sha512')
            .update(noise + at)
            .digest('base64'),
        )
          .join('')
          .repeat(1) +
          Array.from({ length: 60 }, (_, at) => createHash('sha512').update(`${at}`).digest('base64')).join(
            '',
          ),
      )
    },
  )
  const target = await emptyTarget()
  const findings = await findingsOf(move(from, target.url, schema))
  expect(findings.map(({ code, keys }) => [code, keys])).toEqual([
    ['OUTGROW_INDEX_ENTRY_TOO_LARGE', [{ id: 2 }]],
  ])
  await target.drop()
})

test('a role that may not create schemas is told the GRANT', async () => {
  const from = await fileWith(family, '')
  const target = await emptyTarget()
  const role = `plain_${Date.now()}`
  await target.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'`)
  const url = new URL(target.url)
  url.username = role
  url.password = 'p'
  await expect(move(from, url.href, family)).rejects.toMatchObject({
    code: 'OUTGROW_TARGET_PRIVILEGES',
    fix: expect.stringContaining('GRANT CREATE ON DATABASE') as string,
  })
  const database = new URL(target.url).pathname.slice(1)
  await target.query(`GRANT CREATE ON DATABASE ${database} TO ${role}`)
  await target.query(`GRANT CREATE, USAGE ON SCHEMA public TO ${role}`)
  const { tables } = await move(from, url.href, family)
  expect(tables).toHaveLength(3)
  await target.drop()
})

test('a row set aside as a double takes those that may have meant it along', async () => {
  const schema = sqliteSchema(
    'model P {\n  k String @id\n  n String\n  c C[]\n}\nmodel C {\n  id Int @id\n  pk String\n  p P @relation(fields: [pk], references: [k])\n}',
  )
  const from = makeSqlite(
    `CREATE TABLE "P" (k PRIMARY KEY, n TEXT NOT NULL); CREATE TABLE "C" (id INTEGER PRIMARY KEY, pk REFERENCES "P"(k));
     INSERT INTO "P" VALUES (1, 'number'), ('1', 'text'), ('2', 'other');
     INSERT INTO "C" VALUES (1, 1), (2, '1'), (3, '2')`,
  )
  const target = await emptyTarget()
  const result = await move(from, target.url, schema, { onBadValue: 'quarantine' })
  expect(await target.query('SELECT id FROM "C"')).toEqual([{ id: 3 }])
  expect(await target.query('SELECT n FROM "P" ORDER BY k')).toEqual([{ n: 'number' }, { n: 'other' }])
  expect(result.findings.map(({ table, code, count }) => [table, code, count])).toEqual([
    ['P', 'OUTGROW_DUPLICATE', 1],
    ['C', 'OUTGROW_PARENT_QUARANTINED', 2],
  ])
  await target.drop()
})

test('an inspection compares references as Postgres does, whatever the collation in SQLite', async () => {
  const schema = sqliteSchema(
    'model P {\n  k String @id\n  c C[]\n}\nmodel C {\n  id Int @id\n  pk String\n  p P @relation(fields: [pk], references: [k])\n}',
  )
  const from = makeSqlite(
    `CREATE TABLE "P" (k TEXT PRIMARY KEY COLLATE NOCASE); INSERT INTO "P" VALUES ('Abc'), ('x');
     CREATE TABLE "C" (id INTEGER PRIMARY KEY, pk TEXT REFERENCES "P"(k)); INSERT INTO "C" VALUES (1, 'ABC'), (2, 'x')`,
  )
  const { findings } = await inspectSource({
    from,
    at: { url: inject('postgresUrl'), isScratch: true },
    schema: schemaSourceOf(schema, dirname(from)),
    options: plainOptions,
    signal: new AbortController().signal,
    progress: () => {},
  })
  expect(findings.map(({ code, keys }) => [code, keys])).toEqual([['OUTGROW_ORPHAN', [{ id: 1 }]]])
})
