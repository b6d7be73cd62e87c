import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite } from '@outgrow/databases'
import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import {
  authorMigrations,
  baselineDatabase,
  deployMigrations,
  generateSchemas,
  isUpToDate,
  migrationStatus,
  proveMigrations,
  proveOnPostgres,
  writeMigrations,
} from '../src/index.ts'
import { projectWith } from './histories.ts'

const init = {
  sqlite: `CREATE TABLE "User" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "email" TEXT NOT NULL, "age" INTEGER);
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");`,
  postgres: `CREATE TABLE "User" ("id" SERIAL NOT NULL, "email" TEXT NOT NULL, "age" INTEGER, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");`,
}
const more = {
  sqlite: `CREATE INDEX "grown" ON "User"("email") WHERE "age" > 17;
CREATE TABLE "Old" ("id" INTEGER NOT NULL PRIMARY KEY);`,
  postgres: `CREATE INDEX "grown" ON "User"("email") WHERE "age" > 17;
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE "Old" ("id" INTEGER NOT NULL, CONSTRAINT "Old_pkey" PRIMARY KEY ("id"));`,
}
const schemaOf = (provider: 'sqlite' | 'postgres') => `datasource db {
  provider = "${provider === 'sqlite' ? 'sqlite' : 'postgresql'}"
}

model User {
  id    Int     @id @default(autoincrement())
  email String  @unique
  age   Int?
  votes BigInt?
}
`

const targetOf = async (provider: 'sqlite' | 'postgres') => {
  if (provider === 'postgres') return makeDatabase(inject('postgresUrl'))
  const path = join(temporaryFolder(), 'app.db')
  return {
    url: `file:${path}`,
    query: async (sql: string) => {
      const database = openSqlite(path)
      try {
        const rows = sql.startsWith('SELECT') ? database.prepare(sql).all() : database.exec(sql)
        return Promise.resolve(rows)
      } finally {
        database.close()
      }
    },
    drop: () => Promise.resolve(),
  }
}

/** How the table of the history was made. */
const recordTable = ({ url, query }: { url: string; query(sql: string): Promise<unknown> }) =>
  query(
    url.startsWith('file:')
      ? "SELECT sql FROM sqlite_schema WHERE name = '_prisma_migrations'"
      : "SELECT column_name, data_type, column_default FROM information_schema.columns WHERE table_name = '_prisma_migrations' ORDER BY ordinal_position",
  )

const scratch = () => ({ server: inject('postgresUrl') })

test.each(['sqlite', 'postgres'] as const)(
  'a project’s own %s migrations go on where they are, and the other side begins beside them',
  async (provider) => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'schema.prisma'), schemaOf(provider))
    const own = { '20240101000000_init': init[provider], '20240102000000_more': more[provider] }
    projectWith(provider, own, { own: true, folder })
    const generated = await generateSchemas({ schema: join(folder, 'schema.prisma') })
    const authored = await authorMigrations(generated, 'votes', scratch())
    const mine = authored.migrations.find((one) => one.provider === provider)
    expect(mine?.path).toBe(join(folder, 'migrations', authored.name, 'migration.sql'))
    expect(mine?.sql.replaceAll(/\s+/g, ' ')).toContain('ADD COLUMN "votes" BIGINT')
    expect(mine?.sql).not.toContain('grown')
    expect(authored.warnings).toEqual(['Table "Old" is dropped with all its rows.'])
    const other = authored.migrations.find((one) => one.provider !== provider)
    expect(other?.path).toContain(join(folder, provider === 'sqlite' ? 'postgres' : 'sqlite', 'migrations'))
    expect(other?.sql).toContain('CREATE TABLE "User"')
    await proveMigrations(generated, authored, scratch())
    writeMigrations(generated, authored)
    for (const one of ['sqlite', 'postgres'] as const) {
      const target = await targetOf(one)
      const { applied } = await deployMigrations(generated.source, target.url)
      expect(applied).toEqual(
        one === provider ? ['20240101000000_init', '20240102000000_more', authored.name] : [authored.name],
      )
      const status = await migrationStatus(generated.source, one, target.url, scratch())
      expect([status.applied, status.drift, isUpToDate(status)]).toEqual([applied, [], true])
      await target.drop()
    }
    await expect(authorMigrations(generated, 'again', scratch())).rejects.toMatchObject({
      code: 'OUTGROW_MIGRATION_EMPTY',
    })
  },
)

test.each(['sqlite', 'postgres'] as const)(
  'a %s database with tables and no history is compared before it gets one',
  async (provider) => {
    const { source } = projectWith(provider, {
      '20240101000000_init': init[provider],
      '20240102000000_more': more[provider],
    })
    const target = await targetOf(provider)
    await target.query(init[provider])
    await expect(deployMigrations(source, target.url)).rejects.toMatchObject({
      code: 'OUTGROW_MIGRATION_NO_HISTORY',
    })
    expect((await migrationStatus(source, provider, target.url, scratch())).unrecorded).toBe(true)
    await target.query('ALTER TABLE "User" ADD COLUMN "extra" TEXT')
    await expect(baselineDatabase(source, target.url, scratch())).rejects.toMatchObject({
      code: 'OUTGROW_BASELINE_DIFFERS',
      message: expect.stringMatching(/not in any migration: column \S*User"?\.extra/) as string,
    })
    await target.query('ALTER TABLE "User" DROP COLUMN "extra"')
    expect(await baselineDatabase(source, target.url, scratch())).toEqual({
      applied: ['20240101000000_init'],
      pending: ['20240102000000_more'],
    })
    expect((await deployMigrations(source, target.url)).applied).toEqual(['20240102000000_more'])
    const stock = await targetOf(provider)
    await deployMigrations(source, stock.url)
    expect(await recordTable(target)).toEqual(await recordTable(stock))
    await stock.drop()
    await expect(baselineDatabase(source, target.url, scratch())).rejects.toMatchObject({
      code: 'OUTGROW_MIGRATION_HAS_HISTORY',
    })
    await target.drop()
  },
)

test.each(['sqlite', 'postgres'] as const)(
  'status tells what is pending, changed, unknown, failed and drifted on %s',
  async (provider) => {
    const { source, folder } = projectWith(provider, { '20240101000000_init': init[provider] })
    const target = await targetOf(provider)
    await deployMigrations(source, target.url)
    const status = () => migrationStatus(source, provider, target.url, scratch())
    await target.query('DROP INDEX "User_email_key"')
    expect((await status()).drift).toEqual([
      expect.stringMatching(/^missing or different: index \S*User_email_key/),
    ])
    await target.query('CREATE UNIQUE INDEX "User_email_key" ON "User"("email")')
    expect(isUpToDate(await status())).toBe(true)
    writeFileSync(join(folder, '20240101000000_init/migration.sql'), `${init[provider]}\n-- later\n`)
    mkdirSync(join(folder, '20240103000000_bad'))
    writeFileSync(join(folder, '20240103000000_bad/migration.sql'), 'DROP TABLE nowhere;')
    expect(await status()).toMatchObject({
      edited: ['20240101000000_init'],
      pending: ['20240103000000_bad'],
      failed: [],
    })
    await expect(deployMigrations(source, target.url)).rejects.toMatchObject({
      code: 'OUTGROW_MIGRATION_FAILED',
    })
    const failed = await status()
    expect(failed).toMatchObject({ pending: [], drift: undefined, failed: [{ name: '20240103000000_bad' }] })
    expect(failed.failed[0]?.logs).toContain('nowhere')
    expect(isUpToDate(failed)).toBe(false)
    // Version control may have changed the line ends: that is no change.
    writeFileSync(join(folder, '20240101000000_init/migration.sql'), init[provider].replaceAll('\n', '\r\n'))
    expect((await status()).edited).toEqual([])
    expect(readFileSync(join(folder, '20240101000000_init/migration.sql'), 'utf8')).toContain('\r\n')
    await target.drop()
  },
)

test('a view goes to the other side as its migration makes it, or leaves a place for its SQL', async () => {
  const folder = temporaryFolder()
  const head =
    'generator c {\n  provider = "prisma-client"\n  output = "./c"\n  previewFeatures = ["views"]\n}\n\n'
  writeFileSync(
    join(folder, 'schema.prisma'),
    `${head}datasource db {\n  provider = "postgresql"\n}\n\nmodel A {\n  id Int @id\n  n  Int @default(dbgenerated("next_number()")) // outgrow:sqlite n Int @default(1)\n}\n\n` +
      ['plain', 'clever', 'unknown'].map((name) => `view ${name} {\n  id Int @unique\n}\n`).join('\n'),
  )
  projectWith(
    'postgres',
    {
      '20240101000000_init': `CREATE FUNCTION "public"."next_number"() RETURNS int LANGUAGE sql AS 'SELECT 7';
CREATE TABLE "A" ("id" INTEGER NOT NULL, "n" INTEGER NOT NULL DEFAULT next_number(), CONSTRAINT "A_pkey" PRIMARY KEY ("id"));
CREATE VIEW plain AS SELECT id FROM "A";
CREATE OR REPLACE VIEW "public"."clever" AS SELECT id FROM "A" TABLESAMPLE SYSTEM (1);`,
    },
    { own: true, folder },
  )
  const generated = await generateSchemas({ schema: join(folder, 'schema.prisma') })
  const noted = generated.findings.filter(({ action }) => action === 'noted')
  expect(noted.map(({ feature, suggestion }) => [feature, suggestion?.slice(0, 20)])).toEqual([
    ['function next_number', 'CREATE FUNCTION "pub'],
    ['view plain', 'CREATE VIEW plain AS'],
    ['view clever', 'CREATE OR REPLACE VI'],
    ['view unknown', undefined],
  ])
  await proveOnPostgres(generated, scratch())
  const authored = await authorMigrations(generated, 'init', scratch())
  const onSqlite = authored.migrations.find(({ provider }) => provider === 'sqlite')?.sql
  expect(onSqlite).toContain('creates it\nCREATE VIEW plain AS SELECT id FROM "A";')
  expect(onSqlite).toMatch(/-- View "clever" must be created here: .*\n-- CREATE OR REPLACE VIEW/)
  expect(onSqlite).toContain('-- View "unknown" must be created here: no migration defines it')
  expect(authored.warnings.filter((one) => one.startsWith('View '))).toHaveLength(2)
  await proveMigrations(generated, authored, scratch())
  writeMigrations(generated, authored)
  await expect(authorMigrations(generated, 'again', scratch())).rejects.toMatchObject({
    code: 'OUTGROW_MIGRATION_EMPTY',
  })
})

test('lists of an adopted history become Json with their values', async () => {
  const folder = temporaryFolder()
  writeFileSync(
    join(folder, 'schema.prisma'),
    'datasource db {\n  provider = "postgresql"\n}\n\nmodel A {\n  id Int @id\n  tags String[] @default(["x"])\n  n Int[] @map("it, \\"so\\"")\n  t String\n  @@index([tags], type: Gin)\n}\n'.replace(
      '\\"so\\"',
      'so',
    ),
  )
  const own = {
    '20240101000000_init': `CREATE TABLE "A" ("id" INTEGER NOT NULL, "old" TEXT, "tags" TEXT[] DEFAULT ARRAY['x']::TEXT[], "it, so" INTEGER[], CONSTRAINT "A_pkey" PRIMARY KEY ("id"));
CREATE INDEX "A_tags_idx" ON "A" USING GIN ("tags");
CREATE INDEX "by hand" ON "A" USING HASH ("old");
INSERT INTO "A" VALUES (1, NULL, '{a,"b c"}', '{3,NULL}'), (2, NULL, NULL, NULL);`,
  }
  projectWith('postgres', own, { own: true, folder })
  const generated = await generateSchemas({ schema: join(folder, 'schema.prisma') })
  const authored = await authorMigrations(generated, 'twins', scratch())
  const sql = authored.migrations.find(({ isAdopted }) => isAdopted)?.sql ?? ''
  expect(authored.warnings.toSorted()).toEqual([
    'Column "A"."old" is dropped with all its values.',
    'Column A.it, so changes from a list to Json, with its values.',
    'Column A.tags changes from a list to Json, with its values.',
    'Index "by hand" is dropped: a migration created it, but it is not in the schema.',
  ])
  const target = await makeDatabase(inject('postgresUrl'))
  await deployMigrations(generated.source, target.url)
  await target.query(
    sql.replace('ADD COLUMN     "t" TEXT NOT NULL', `ADD COLUMN "t" TEXT NOT NULL DEFAULT ''`),
  )
  expect(await target.query('SELECT id, tags::text, "it, so"::text AS n FROM "A" ORDER BY 1')).toEqual([
    { id: 1, tags: '["a", "b c"]', n: '[3, null]' },
    { id: 2, tags: '[]', n: '[]' },
  ])
  await target.query(`INSERT INTO "A" (id, t) VALUES (3, '')`)
  expect(await target.query('SELECT tags::text FROM "A" WHERE id = 3')).toEqual([{ tags: '["x"]' }])
  await target.drop()
})

test.each([true, false])(
  'a rebuilt table keeps its triggers, checks and indexes that Prisma does not know (own history: %s)',
  async (own) => {
    const folder = temporaryFolder()
    const path = join(folder, 'schema.prisma')
    const head =
      'datasource db {\n  provider = "sqlite"\n}\n\nmodel User {\n  id Int @id @default(autoincrement())\n  email String\n'
    const hand = `CREATE UNIQUE INDEX "User_partial" ON "User"("email") WHERE "nick" <> '';
CREATE INDEX "User_lower" ON "User"(lower("old"));
CREATE TRIGGER "User_audit" AFTER UPDATE ON "User" BEGIN SELECT CASE WHEN 1 THEN 2 END; END;`
    const table =
      'CREATE TABLE "User" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "email" TEXT NOT NULL, "nick" TEXT NOT NULL, "old" TEXT, CONSTRAINT "long" CHECK (length("email") > 3));'
    const search = 'CREATE VIRTUAL TABLE search USING fts5(title);'
    writeFileSync(path, `${head}  nick String\n  old String?\n}\n`)
    projectWith('sqlite', { '20240101000000_init': `${table}\n${hand}\n${search}` }, { own, folder })
    const before = await generateSchemas({ schema: path })
    if (!own) writeFileSync(join(folder, 'sqlite/migrations/schema.prisma'), before.dialects.sqlite)
    writeFileSync(path, `${head}  nick Int @default(3)\n}\n`)
    const generated = await generateSchemas({ schema: path })
    const authored = await authorMigrations(generated, 'change', scratch())
    const sqlite = authored.migrations.filter(({ provider }) => provider === 'sqlite')
    expect(authored.warnings.filter((one) => !one.includes('nick'))).toEqual([
      expect.stringContaining('index User_lower of User is lost because the table is rebuilt: CREATE INDEX'),
      'Column User.old is dropped with all its values.',
    ])
    writeMigrations(generated, { ...authored, migrations: sqlite })
    const target = await targetOf('sqlite')
    await deployMigrations(generated.source, target.url)
    expect(
      await target.query(
        "SELECT name FROM sqlite_schema WHERE name IN ('User_partial', 'User_audit', 'search') ORDER BY 1",
      ),
    ).toEqual([{ name: 'User_audit' }, { name: 'User_partial' }, { name: 'search' }])
    await expect(target.query(`INSERT INTO "User" (email) VALUES ('x')`)).rejects.toThrow(
      'CHECK constraint failed: long',
    )
  },
)

test('a table whose default Prisma’s engine takes for another is rebuilt only when it changes', async () => {
  const folder = temporaryFolder()
  const table = (name: string) =>
    `CREATE TABLE "${name}" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "meta" JSONB NOT NULL DEFAULT '{}', "at" INTEGER NOT NULL);
CREATE INDEX "${name}_at_idx" ON "${name}"("at");`
  projectWith('sqlite', { '1_init': table('Kept') + table('Other') }, { own: true, folder })
  const schema = join(folder, 'schema.prisma')
  const plan = async (index: string) => {
    const models = { Kept: 'at', Other: index }
    const text = Object.entries(models).map(
      ([name, columns]) =>
        `model ${name} {\n  id Int @id @default(autoincrement())\n  meta Json @default("{}")\n  at Int\n  @@index([${columns}])\n}\n`,
    )
    writeFileSync(schema, `datasource db {\n  provider = "sqlite"\n}\n${text.join('\n')}`)
    const authored = await authorMigrations(await generateSchemas({ schema }), 'next', scratch())
    return authored.migrations.find(({ isAdopted }) => isAdopted)?.sql
  }
  await expect(plan('at')).resolves.toBeUndefined() // Postgres begins; SQLite has nothing to do
  const changed = await plan('at, id')
  expect(changed).toContain('ALTER TABLE "new_Other" RENAME TO "Other"')
  expect(changed).toContain('CREATE INDEX "Other_at_id_idx"')
  expect(changed).toContain('PRAGMA foreign_keys=ON;')
  expect(changed).not.toContain('"Kept')
})

test('whether a table is rebuilt is decided by what Prisma knows of it', async () => {
  const plan = async (sql: string, models: string) => {
    const folder = temporaryFolder()
    projectWith('sqlite', { '1_init': sql }, { own: true, folder })
    const schema = join(folder, 'schema.prisma')
    writeFileSync(schema, `datasource db {\n  provider = "sqlite"\n}\n${models}`)
    const authored = await authorMigrations(await generateSchemas({ schema }), 'next', scratch())
    const { sql: planned = '' } = authored.migrations.find(({ isAdopted }) => isAdopted) ?? {}
    return { planned, warnings: authored.warnings }
  }
  const table = (name: string, at: string) =>
    `CREATE TABLE "${name}" ("id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "meta" JSONB NOT NULL DEFAULT '{}', "at" ${at} NOT NULL);`
  const model = (name: string, at: string, more = '') =>
    `model ${name} {\n  id Int @id @default(autoincrement())\n  meta Json @default("{}")\n  at ${at}\n${more}\n}\n`

  // An index that is called like a column of another table.
  const called = await plan(
    `${table('Kept', 'INTEGER')}${table('Other', 'INTEGER')} CREATE INDEX "Kept.at" ON "Other"("at");`,
    model('Kept', 'Int') + model('Other', 'String', '@@index([at], map: "Kept.at")'),
  )
  expect(called.planned).toContain('CREATE INDEX "Kept.at" ON "Other"("at")')
  expect(called.planned).not.toContain('"new_Kept"')

  // A table that a tool keeps for itself elsewhere.
  const owned = await plan(table('_cf_kv', 'INTEGER'), model('Kv', 'String', '@@map("_cf_kv")'))
  expect(owned.planned).toContain('"at" TEXT NOT NULL')

  // What Prisma does not know, a rebuild would only lose.
  const unknown = `${table('Kept', `TEXT COLLATE NOCASE CHECK (length("at") > 0)`)}
CREATE VIEW v AS SELECT id, at FROM "Kept"; CREATE VIEW over AS SELECT id FROM v;
CREATE TRIGGER t INSTEAD OF INSERT ON v BEGIN INSERT INTO "Kept" (at) VALUES (new.at); END;
${table('Other', 'INTEGER')} CREATE TRIGGER u AFTER INSERT ON "Other" BEGIN INSERT INTO "Kept" (at) VALUES ('u'); END;`
  expect((await plan(unknown, model('Kept', 'String') + model('Other', 'Int'))).planned).toBe('')

  // A rebuild that is needed keeps the views and triggers that name the table.
  const needed = await plan(unknown, model('Kept', 'String?') + model('Other', 'Int'))
  const file = openSqlite(join(temporaryFolder(), 'app.db'))
  file.exec(unknown)
  file.exec(needed.planned)
  file.exec(`INSERT INTO v (at) VALUES ('x'); INSERT INTO "Other" (at) VALUES (1)`)
  expect(file.prepare('SELECT v.at FROM v JOIN over USING (id) ORDER BY id').pluck().all()).toEqual([
    'x',
    'u',
  ])
  file.close()
  expect(needed.warnings).toEqual([])

  // One that names a column that goes cannot stay.
  const gone = await plan(
    unknown,
    model('Kept', 'String').replace('  at String\n', '') + model('Other', 'Int'),
  )
  expect(gone.planned).not.toContain('CREATE VIEW')
  expect(gone.warnings).toContainEqual(expect.stringContaining('view v of v is lost because'))
})
