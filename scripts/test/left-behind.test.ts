import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite } from '@outgrow/databases'
import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { outgrow } from '@outgrow/testing/cli'
import { expect, inject, test } from 'vitest'

interface Document {
  error: { code: string } | null
  findings: { code: string; table: string | null }[]
}

const fill = (sql: string) => {
  const path = join(temporaryFolder(), 'app.db')
  const file = openSqlite(path)
  file.exec(sql)
  file.close()
  return path
}
const schemaOf = (models: string) => {
  const path = join(temporaryFolder(), 'schema.prisma')
  writeFileSync(path, `datasource db {\n  provider = "sqlite"\n}\n\n${models}`)
  return path
}
const post = `CREATE TABLE "Post" (id INTEGER PRIMARY KEY NOT NULL, body TEXT NOT NULL);
INSERT INTO "Post" VALUES (1, 'one'), (2, 'two');
CREATE TRIGGER stays AFTER INSERT ON "Post" BEGIN SELECT 1; END;
CREATE VIRTUAL TABLE found USING fts5(body, content='Post', content_rowid='id')`
const postModel = 'model Post {\n  id Int @id\n  body String\n}\n'

test('what stays behind is a finding of the move once; a second run and verify repeat the notes', async () => {
  const [from, schema] = [fill(post), schemaOf(postModel)]
  const target = await makeDatabase(inject('postgresUrl'))
  const run = (command: string) =>
    outgrow<Document>([command, '--from', from, '--to', target.url, '--schema', schema])
  const first = await run('migrate')
  expect([first.code, first.document.findings.map(({ code }) => code)]).toEqual([4, ['OUTGROW_OBJECT_LEFT']])
  const second = await run('migrate')
  expect(second.document.findings).toEqual(first.document.findings)
  expect(second.stderr).toContain('already moved this file')
  expect(second.stderr).toContain('found stays behind')
  const verified = await run('verify')
  expect([verified.code, verified.document.findings]).toEqual([0, []])
  expect(verified.stderr).toContain('found stays behind')

  // A record of another version is nobody's: what can be compared without it is.
  await target.query(
    `DO $$ DECLARE at text := (SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = '_outgrow_run');
       BEGIN EXECUTE format('UPDATE %s._outgrow_run SET staging = jsonb_set(staging::jsonb, ''{record,version}'', ''1'')::json', at); END $$`,
  )
  const foreign = await run('verify')
  expect([foreign.code, foreign.stderr]).toEqual([0, expect.stringContaining('no record of a run')])
  await target.drop()
})

test('transform decides values alone: what stays behind and what the target holds do not stop it', async () => {
  const [from, schema] = [fill(post), schemaOf(postModel)]
  const target = await makeDatabase(inject('postgresUrl'))
  await target.query('CREATE TABLE there (id int)')
  const dir = join(temporaryFolder(), 'export')
  expect((await outgrow(['export', '--from', from, '--dir', dir])).code).toBe(0)
  const done = await outgrow<Document>(['transform', '--dir', dir, '--to', target.url, '--schema', schema])
  expect([done.code, done.document.error, done.document.findings]).toEqual([0, null, []])
  await target.drop()
})

test('as many rows are set aside as there are', async () => {
  // One chunk, as a table without rowids is: more rows than a call takes arguments.
  const rows = 200_000
  const from = fill(
    `CREATE TABLE "Bad" (id INTEGER PRIMARY KEY NOT NULL, yes BLOB NOT NULL) WITHOUT ROWID;
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) INSERT INTO "Bad" SELECT i, 'maybe' FROM n`,
  )
  const schema = schemaOf('model Bad {\n  id Int @id\n  yes Boolean\n}\n')
  const target = await makeDatabase(inject('postgresUrl'))
  const dir = join(temporaryFolder(), 'export')
  expect((await outgrow(['export', '--from', from, '--dir', dir])).code).toBe(0)
  const done = await outgrow<Document>([
    'transform',
    '--dir',
    dir,
    '--to',
    target.url,
    '--schema',
    schema,
    '--on-bad-value',
    'quarantine',
  ])
  expect([done.code, done.document.error]).toEqual([4, null])
  const lines = readFileSync(join(dir, 'quarantine.ndjson'), 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(rows)
  await target.drop()
})
