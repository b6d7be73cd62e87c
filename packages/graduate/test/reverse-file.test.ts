import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openSqlite } from '@outgrow/databases'
import { isUpToDate, migrationStatus, schemaSourceOf, writeMigrationState } from '@outgrow/schema'
import { temporaryFolder } from '@outgrow/testing'
import { describe, expect, test } from 'vitest'
import { sqliteSchema } from './move.ts'
import { ask, beside, failureOf, newPath, people, reverse, threePeople } from './reverse.ts'

describe('the place of the file', () => {
  test.each([
    [
      'a database with something in it',
      (path: string) => openSqlite(path).exec('CREATE TABLE t (a)').close(),
      'OUTGROW_TARGET_NOT_EMPTY',
    ],
    ['a file of something else', (path: string) => writeFileSync(path, 'hello'), 'OUTGROW_TARGET_NOT_EMPTY'],
    [
      'a journal that was left behind',
      (path: string) => writeFileSync(`${path}-journal`, 'x'),
      'OUTGROW_TARGET_NOT_EMPTY',
    ],
  ])('%s is left as it was', async (_, put, code) => {
    const path = newPath()
    put(path)
    const before = beside(path).map((name) => [name, statSync(join(dirname(path), name)).size])
    const failure = await failureOf(reverse({ schema: people, fill: '', more: { to: path } }))
    expect(failure.code).toBe(code)
    expect(beside(path).map((name) => [name, statSync(join(dirname(path), name)).size])).toEqual(before)
  })

  test('a folder that is not there is named', async () => {
    const to = join(temporaryFolder(), 'none', 'app.db')
    const failure = await failureOf(reverse({ schema: people, fill: '', more: { to } }))
    expect([failure.code, failure.message]).toEqual([
      'OUTGROW_URL_INVALID',
      `The folder ${dirname(to)} of the database does not exist.`,
    ])
  })

  test('an empty file is filled and keeps its mode', async () => {
    const to = newPath()
    writeFileSync(to, '', { mode: 0o640 })
    await reverse({ schema: people, fill: threePeople, more: { to } })
    expect(statSync(to).mode & 0o777).toBe(0o640)
    expect(ask(to, 'SELECT count(*) AS n FROM "Person"')).toEqual([{ n: 3n }])
  })

  test('a file that appears meanwhile is not overwritten', async () => {
    const to = newPath()
    const onStep = (title: string) => {
      if (title === 'Put the file in its place') writeFileSync(to, 'somebody’s')
    }
    const failure = await failureOf(reverse({ schema: people, fill: threePeople, more: { to, onStep } }))
    expect([failure.code, beside(to)]).toEqual(['OUTGROW_TARGET_NOT_EMPTY', ['app.db']])
    expect(statSync(to).size).toBe(Buffer.byteLength('somebody’s'))
  })

  test('Ctrl-C leaves nothing behind', async () => {
    const to = newPath()
    const stop = new AbortController()
    const fill = `INSERT INTO "Person" (email) SELECT repeat(n::text, 20) FROM generate_series(1, 50000) n`
    const work = reverse({
      schema: people,
      fill,
      more: {
        to,
        signal: stop.signal,
        progress: ({ step, rows }) => {
          if (step === 'copy' && rows > 1000) stop.abort(new Error('stopped by the user'))
        },
      },
    })
    await expect(work).rejects.toThrow('stopped by the user')
    expect(beside(to)).toEqual([])
  })
})

describe('a project with migrations for SQLite', () => {
  const schema = sqliteSchema(`model Note {
  id   Int    @id
  text String
}`)
  const tables = `CREATE TABLE "Note" ("id" INTEGER NOT NULL PRIMARY KEY, "text" TEXT NOT NULL CHECK (length("text") < 99));
    INSERT INTO "Note" VALUES (1, 'a seed of the migration');
    CREATE INDEX short ON "Note" ("text") WHERE length("text") < 9;
    CREATE VIEW shouted AS SELECT upper("text") AS "text" FROM "Note";
    CREATE VIRTUAL TABLE search USING fts5("text", content='Note', content_rowid='id');
    CREATE TRIGGER noted AFTER INSERT ON "Note" BEGIN INSERT INTO search (rowid, "text") VALUES (new.id, new."text"); END;`

  /** A folder with one migration, and the schema beside it. */
  function project(sql: string, text = schema) {
    const home = temporaryFolder()
    const folder = join(home, 'sqlite/migrations')
    mkdirSync(join(folder, '1_init'), { recursive: true })
    writeFileSync(join(folder, '1_init/migration.sql'), sql)
    return { folder, source: schemaSourceOf(text, home) }
  }

  test('the file is what they make of it, without their rows, and they are recorded as applied', async () => {
    const { source } = project(tables)
    const { path, result } = await reverse({
      schema,
      fill: `INSERT INTO "Note" VALUES (7, 'hello world'), (8, 'goodbye')`,
      more: { schema: source },
    })
    expect([result.exitCode, result.findings]).toEqual([0, []])
    const file = openSqlite(path)
    const all = (sql: string) => file.prepare(sql).pluck().all()
    expect(all('SELECT id FROM "Note" ORDER BY id')).toEqual([7, 8])
    expect(all(`SELECT rowid FROM search WHERE search MATCH 'hello'`)).toEqual([7])
    file.exec(`INSERT INTO "Note" VALUES (9, 'hello again')`)
    expect(all(`SELECT rowid FROM search WHERE search MATCH 'hello' ORDER BY rowid`)).toEqual([7, 9])
    expect(all('SELECT "text" FROM shouted')).toEqual(['HELLO WORLD', 'GOODBYE', 'HELLO AGAIN'])
    file.close()
    const status = await migrationStatus(source, 'sqlite', `file:${path}`, {})
    expect([isUpToDate(status), status.applied, status.drift]).toEqual([true, ['1_init'], []])
  })

  test('a row that a rule of the file refuses is named', async () => {
    const failure = await failureOf(
      reverse({
        schema,
        fill: `INSERT INTO "Note" VALUES (7, repeat('x', 100)), (8, 'fine')`,
        more: { schema: project(tables).source },
      }),
    )
    expect(failure.findings).toMatchObject([
      { code: 'OUTGROW_BAD_VALUE', table: 'Note', count: 1, keys: [{ id: 7 }] },
    ])
    expect(failure.findings[0]?.reason).toContain('CHECK constraint failed')
  })

  test('values that a column of the migrations would change are named', async () => {
    const declared = `CREATE TABLE "Note" ("id" INTEGER NOT NULL PRIMARY KEY, "text" NUMERIC NOT NULL)`
    const failure = await failureOf(
      reverse({
        schema,
        fill: `INSERT INTO "Note" VALUES (1, 'word'), (2, '12'), (3, '007'), (4, ' 5'), (5, '1e3'), (6, '0.10'), (7, '9223372036854775808')`,
        more: { schema: project(declared).source },
      }),
    )
    expect(failure.findings).toMatchObject([
      { code: 'OUTGROW_BAD_VALUE', column: 'text', count: 5, keys: [3, 4, 5, 6, 7].map((id) => ({ id })) },
    ])
  })

  test('migrations behind the schema, or a migration that fails, stop it', async () => {
    const behind = project(tables, schema.replace('text String', 'text String\n  more String?'))
    writeMigrationState(behind.folder, 'sqlite', schema)
    const broken = project('CREATE TABLE "Note" (;')
    const codes = []
    for (const { source } of [behind, broken]) {
      const to = newPath()
      codes.push((await failureOf(reverse({ schema, fill: '', more: { to, schema: source } }))).code)
      expect(beside(to)).toEqual([])
    }
    expect(codes).toEqual(['OUTGROW_MIGRATION_PENDING', 'OUTGROW_MIGRATION_FAILED'])
  })
})
