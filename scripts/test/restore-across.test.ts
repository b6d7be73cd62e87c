import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite, withPostgres } from '@outgrow/databases'
import { makeDatabase, makeSqlite, temporaryFolder } from '@outgrow/testing'
import { outgrow } from '@outgrow/testing/cli'
import { expect, inject, test } from 'vitest'

const server = inject('postgresUrl')
const env = { OUTGROW_BACKUP_KEY: randomBytes(32).toString('hex'), OUTGROW_BACKUP_TO: '' }

interface Restored {
  move: { ok: boolean } | null
  error: { code: string } | null
}

const schema = (provider: string) => `datasource db {\n  provider = "${provider}"\n}
generator client {\n  provider = "prisma-client"\n  output = "./client"\n}
model Note {\n  id Int @id @default(autoincrement())\n  body String\n  paid Boolean\n  at DateTime\n}\n`

test('a backup of Postgres restores into an SQLite file, and that one’s backup into Postgres again', async () => {
  const folder = temporaryFolder()
  const to = join(folder, 'of-postgres')
  writeFileSync(join(folder, 'schema.prisma'), schema('postgresql'))
  const { url } = await makeDatabase(server)
  await withPostgres(url, (client) =>
    client.query(`CREATE TABLE "Note" (id serial PRIMARY KEY, body text NOT NULL, paid boolean NOT NULL, at timestamp(3) NOT NULL);
      INSERT INTO "Note" (body, paid, at) VALUES ('a', true, '2026-11-26 12:00:00.123'), ('ü', false, '1969-01-01')`),
  )
  const run = (...args: string[]) => outgrow<Restored>(args, env, folder)
  expect((await run('backup', '--database', url, '--to', to)).code).toBe(0)

  const file = join(folder, 'restored.db')
  const introspected = await run('restore', '--from', to, '--to', `file:${file}`, '--schema', 'introspect')
  expect([introspected.code, introspected.document.error?.code]).toEqual([2, 'OUTGROW_OPTION_INVALID'])
  expect(existsSync(file)).toBe(false)
  const restored = await run(
    'restore',
    '--from',
    to,
    '--to',
    `file:${file}`,
    '--schema',
    'schema.prisma',
    '--server',
    server,
  )
  expect([restored.code, restored.document.error, restored.document.move?.ok]).toEqual([0, null, true])
  const database = openSqlite(file)
  expect(database.prepare('SELECT id, body, paid FROM Note ORDER BY id').raw().all()).toEqual([
    [1, 'a', 1],
    [2, 'ü', 0],
  ])
  database.close()

  const again = join(folder, 'of-sqlite')
  expect((await run('backup', '--database', `file:${file}`, '--to', again)).code).toBe(0)
  const target = await makeDatabase(server)
  const moved = await run('restore', '--from', again, '--to', target.url, '--schema', 'schema.prisma')
  expect([moved.code, moved.document.move?.ok]).toEqual([0, true])
  expect(await target.query('SELECT * FROM "Note" ORDER BY id')).toEqual(
    await withPostgres(url, async (client) => (await client.query('SELECT * FROM "Note" ORDER BY id')).rows),
  )
})

test('what a file cannot hold is named, and nothing is put in its place', async () => {
  const folder = temporaryFolder()
  const to = join(folder, 'backups')
  writeFileSync(join(folder, 'schema.prisma'), schema('postgresql'))
  const { url } = await makeDatabase(server)
  await withPostgres(url, (client) =>
    client.query(`CREATE TABLE "Note" (id serial PRIMARY KEY, body text NOT NULL, paid boolean NOT NULL, at timestamp(3) NOT NULL);
      INSERT INTO "Note" (body, paid, at) VALUES ('a', true, 'infinity'); CREATE TABLE others AS SELECT 1 AS one`),
  )
  expect((await outgrow(['backup', '--database', url, '--to', to], env, folder)).code).toBe(0)
  const file = join(folder, 'restored.db')
  const restore = (...more: string[]) =>
    outgrow<Restored>(
      [
        'restore',
        '--from',
        to,
        '--to',
        `file:${file}`,
        '--schema',
        'schema.prisma',
        '--server',
        server,
        ...more,
      ],
      env,
      folder,
    )
  const drifted = await restore()
  expect(drifted.code).toBe(2)
  expect(JSON.stringify(drifted.document)).toContain('others')
  const refused = await restore('--skip-table', 'others')
  expect([refused.code, refused.document.error?.code]).toEqual([2, 'OUTGROW_BAD_VALUES'])
  expect(JSON.stringify(refused.document)).toContain('Note')
  expect(existsSync(file)).toBe(false)
  const without = await restore('--skip-table', 'others', '--skip-table', 'Note')
  expect(without.document.error).toBe(null)
  expect(existsSync(file)).toBe(true)
})

test('a backup is not restored into a file that is there', async () => {
  const folder = temporaryFolder()
  const to = join(folder, 'backups')
  const file = makeSqlite('CREATE TABLE t (id INTEGER PRIMARY KEY)')
  expect((await outgrow(['backup', '--database', `file:${file}`, '--to', to], env, folder)).code).toBe(0)
  const { code, document } = await outgrow(['restore', '--from', to, '--to', `file:${file}`], env, folder)
  expect([code, document.error?.code]).toEqual([2, 'OUTGROW_RESTORE_NOT_EMPTY'])
})
