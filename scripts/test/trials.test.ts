import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite } from '@outgrow/databases'
import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { outgrow } from '@outgrow/testing/cli'
import { expect, inject, test } from 'vitest'

interface Document {
  error: { code: string; message: string } | null
  findings: { code: string; keys: Record<string, unknown>[] }[]
}

function fileWith(sql: string): string {
  const path = join(temporaryFolder(), 'app.db')
  const file = openSqlite(path)
  file.exec(sql)
  file.close()
  return path
}

test('a schema that was changed between two trials is not moved into the tables of the first', async () => {
  const from = fileWith(
    `CREATE TABLE "T" (id INTEGER PRIMARY KEY NOT NULL, day TEXT NOT NULL); INSERT INTO "T" VALUES (1, '2024-01-01')`,
  )
  const folder = temporaryFolder()
  const schema = join(folder, 'schema.prisma')
  const write = (type: string) =>
    writeFileSync(
      schema,
      `datasource db {\n  provider = "sqlite"\n}\nmodel T {\n  id Int @id\n  day ${type}\n}\n`,
    )
  const run = (command: string, to: string) =>
    outgrow<Document>([command, '--from', from, '--to', to, '--schema', schema, '--work-dir', folder])
  const first = await makeDatabase(inject('postgresUrl'))
  const second = await makeDatabase(inject('postgresUrl'))

  write('DateTime')
  expect((await run('migrate', first.url)).code).toBe(0)
  write('String')
  for (const command of ['inspect', 'migrate']) {
    const refused = await run(command, second.url)
    expect([refused.code, refused.document.error?.code]).toEqual([2, 'OUTGROW_MIGRATION_PENDING'])
  }
  expect(await second.query(`SELECT to_regclass('"T"')::text AS found`)).toEqual([{ found: null }])
  // What only trials have used may go, as the message says.
  rmSync(join(folder, 'postgres/migrations'), { recursive: true })
  expect((await run('migrate', second.url)).code).toBe(0)
  expect(await second.query('SELECT day FROM "T"')).toEqual([{ day: '2024-01-01' }])
  await first.drop()
  await second.drop()
})

test('a key that a double does not hold is named exactly, by the source and by the target', async () => {
  const from = fileWith(
    `PRAGMA foreign_keys = OFF; CREATE TABLE p (id INTEGER PRIMARY KEY);
     CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p(id)); INSERT INTO c VALUES (9007199254740993, 5), (7, 5)`,
  )
  const target = await makeDatabase(inject('postgresUrl'))
  const run = (...args: string[]) =>
    outgrow<Document>([
      ...args,
      '--from',
      from,
      '--to',
      target.url,
      '--schema',
      'introspect',
      '--work-dir',
      temporaryFolder(),
    ])
  for (const args of [['inspect'], ['migrate', '--on-bad-value', 'quarantine']]) {
    const { document } = await run(...args)
    expect(document.findings.flatMap(({ keys }) => keys)).toEqual([{ id: 7 }, { id: '9007199254740993' }])
  }
  await target.drop()
})
