import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withPostgres } from '@outgrow/databases'
import type { BackupPlan, BackupSummary, Drill } from '@outgrow/operations'
import { makeDatabase, makeSqlite, temporaryFolder, until, type TestDatabase } from '@outgrow/testing'
import { outgrow, startOutgrow } from '@outgrow/testing/cli'
import { expect, inject, test } from 'vitest'

const kills = Number(process.env.OUTGROW_KILLS ?? 2)
const server = inject('postgresUrl')
const env = { OUTGROW_BACKUP_KEY: randomBytes(32).toString('hex'), OUTGROW_BACKUP_TO: '' }

async function databaseOf(sql: string): Promise<TestDatabase> {
  const database = await makeDatabase(server)
  await withPostgres(database.url, (client) => client.query(sql))
  return database
}

const relationsOf = ({ query }: TestDatabase) =>
  query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")

test('from the command line a Postgres is backed up, tried and restored, and its password stays secret', async () => {
  const role = `policy_${randomBytes(4).toString('hex')}`
  const source = await databaseOf(`CREATE ROLE ${role};
    CREATE TABLE posts (id serial PRIMARY KEY, body text); INSERT INTO posts (body) VALUES ('a'), ('b');
    ALTER TABLE posts ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON posts TO ${role} USING (true)`)
  const folder = temporaryFolder()
  const to = join(folder, 'backups')
  const planned = await outgrow<{ plan: BackupPlan }>(
    ['backup', '--database', source.url, '--to', to, '--dry-run'],
    env,
    folder,
  )
  expect([planned.code, planned.document.plan]).toMatchObject([0, { provider: 'postgres', notes: [] }])
  const made = await outgrow<{ backup: BackupSummary }>(
    ['backup', '--database', source.url, '--to', to],
    env,
    folder,
  )
  expect([made.code, made.document.backup.tables]).toEqual([0, [{ table: 'public.posts', rows: 2 }]])

  await source.query('DROP POLICY own ON posts')
  await source.query(`DROP ROLE ${role}`)
  // The server that lives as long as a drill has every role; another is not changed for it.
  const drilled = await outgrow<{ drill: Drill }>(['backup', 'drill', '--from', to], env, folder)
  expect([drilled.code, drilled.document.drill]).toMatchObject([0, { ok: true, problems: [], notes: [] }])
  const unproved = await outgrow(['backup', 'drill', '--from', to, '--server', server], env, folder)
  expect([unproved.code, unproved.document.error?.code]).toEqual([2, 'OUTGROW_DRILL_UNPROVED'])

  const target = await makeDatabase(server)
  const refused = await outgrow(['restore', '--from', to, '--to', target.url], env, folder)
  expect([refused.code, refused.document.error?.code]).toEqual([2, 'OUTGROW_RESTORE_ROLES'])
  expect(await relationsOf(target)).toEqual([])
  await target.query(`CREATE ROLE ${role}`)
  const restored = await outgrow(['restore', '--from', to, '--to', target.url], env, folder)
  expect([restored.code, restored.document]).toMatchObject([0, { notes: [], problems: [], move: null }])
  expect(await target.query('SELECT * FROM posts ORDER BY id')).toEqual([
    { id: 1, body: 'a' },
    { id: 2, body: 'b' },
  ])
  const { password } = new URL(server)
  for (const { stdout, stderr } of [planned, made, drilled, unproved, refused, restored])
    expect(stdout + stderr).not.toContain(password)
})

test('a restore into Postgres that is killed leaves it empty', async () => {
  const source = await databaseOf(
    'CREATE TABLE rows AS SELECT n, md5(n::text) AS hash FROM generate_series(1, 100000) n; CREATE INDEX ON rows (hash)',
  )
  const folder = temporaryFolder()
  const to = join(folder, 'backups')
  expect((await outgrow(['backup', '--database', source.url, '--to', to], env, folder)).code).toBe(0)
  const target = await makeDatabase(server)
  const started = performance.now()
  expect((await outgrow(['restore', '--from', to, '--to', target.url], env, folder)).code).toBe(0)
  const wholeMs = performance.now() - started

  for (let kill = 0; kill < kills; kill++) {
    const { query, url } = await makeDatabase(server)
    const { child } = startOutgrow(['restore', '--from', to, '--to', url], env, folder)
    const ended = once(child, 'exit')
    await sleep(Math.random() * wholeMs)
    child.kill('SIGKILL')
    await ended
    await until(async () => {
      const sessions = await query(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
      )
      return sessions.length === 0
    })
    const [found] = await query("SELECT to_regclass('rows') IS NOT NULL AS there")
    // It may have ended before it was killed; half of it never is.
    const rows = found?.there === true ? await query('SELECT count(*)::int AS n FROM rows') : []
    expect([[], [{ n: 100_000 }]]).toContainEqual(rows)
  }
})

test('a backup of SQLite goes into Postgres by the move, or leaves it empty', async () => {
  const file = makeSqlite(
    "CREATE TABLE posts (id INTEGER PRIMARY KEY, body TEXT NOT NULL, at INT); INSERT INTO posts VALUES (1, 'a', 1), (7, 'b', 2)",
  )
  const folder = temporaryFolder()
  const to = join(folder, 'backups')
  expect((await outgrow(['backup', '--database', `file:${file}`, '--to', to], env, folder)).code).toBe(0)
  const target = await makeDatabase(server)
  const args = ['restore', '--from', to, '--to', target.url, '--schema']
  const refused = await outgrow([...args, 'nowhere.prisma'], env, folder)
  expect([refused.code, await relationsOf(target)]).toEqual([2, []])
  const restored = await outgrow<{ move: { tables: object[] } }>([...args, 'introspect'], env, folder)
  expect([restored.code, restored.document.move.tables]).toMatchObject([
    0,
    [{ table: 'posts', sourceRows: 2, targetRows: 2, digestMatch: true }],
  ])
  expect(await target.query('SELECT id::int, body FROM posts ORDER BY id')).toEqual([
    { id: 1, body: 'a' },
    { id: 7, body: 'b' },
  ])
  const again = await outgrow([...args, 'introspect'], env, folder)
  expect([again.code, again.document.error?.code]).toEqual([2, 'OUTGROW_RESTORE_NOT_EMPTY'])
  expect(readdirSync(join(folder, '.outgrow')).filter((name) => name.startsWith('backup-'))).toEqual([])
})
