import { connectPostgres, withPostgres } from '@outgrow/databases'
import { makeDatabase, until, type TestDatabase } from '@outgrow/testing'
import { hasPgbouncer, makePooledDatabase } from '@outgrow/testing/pooler'
import { describe, expect, inject, test } from 'vitest'
import { restoreBackup, takeBackup } from './postgres-backup.ts'

const server = inject('postgresUrl')

async function databaseOf(sql: string): Promise<TestDatabase> {
  const database = await makeDatabase(server)
  await withPostgres(database.url, (client) => client.query(sql))
  return database
}

const sessionsOf = async ({ query }: TestDatabase) => {
  const rows = await query(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'outgrow'",
  )
  return rows[0]?.n as number
}

test('a backup under writes holds one moment, across all tables and sequences', async () => {
  const total = 1000
  const source = await databaseOf(`
    CREATE TABLE a_left (id serial PRIMARY KEY, amount int); CREATE TABLE z_right (id serial PRIMARY KEY, amount int);
    CREATE TABLE m_between AS SELECT n, repeat('x', 100) AS filler FROM generate_series(1, 20000) n;
    INSERT INTO a_left (amount) VALUES (${total}); INSERT INTO z_right (amount) VALUES (0)`)
  const done = new AbortController()
  let transfers = 0
  const write = async () => {
    const client = await connectPostgres(source.url)
    while (!done.signal.aborted) {
      await client.query('BEGIN')
      await client.query('INSERT INTO a_left (amount) VALUES (-1)')
      await client.query('INSERT INTO z_right (amount) VALUES (1)')
      await client.query('COMMIT')
      transfers++
    }
    await client.end()
  }
  const writers = [write(), write()]
  await until(async () => transfers > 10)
  const before = transfers
  // The rows are read only once more was written than before they were locked.
  const backup = await takeBackup(source.url, { onPart: () => until(async () => transfers > before + 50) })
  done.abort()
  await Promise.all(writers)

  const target = await makeDatabase(server)
  expect(await restoreBackup(backup, target.url)).toEqual({ differences: [], problems: [], notes: [] })
  const [sums] = await target.query(
    `SELECT (SELECT sum(amount) FROM a_left)::int + (SELECT sum(amount) FROM z_right)::int AS total,
            (SELECT count(*) FROM a_left)::int - (SELECT count(*) FROM z_right)::int AS difference,
            (SELECT max(id) FROM a_left)::int AS highest`,
  )
  expect(sums).toMatchObject({ total, difference: 0 })
  expect(sums?.highest).toBeLessThan(transfers)
  // Counters are past every row.
  await target.query('INSERT INTO a_left (amount) VALUES (0)')
})

test('a change of a table that comes while it is backed up waits, and stops nothing', async () => {
  const source = await databaseOf(
    'CREATE TABLE a (id int); CREATE TABLE b (id int); INSERT INTO b VALUES (1)',
  )
  let altered: Promise<unknown> | undefined
  const backup = await takeBackup(source.url, {
    async onPart() {
      altered ??= source.query('ALTER TABLE b ADD COLUMN late int; DROP TABLE a')
      await until(async () => {
        const rows = await source.query(
          'SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())',
        )
        return rows[0]?.n === 1
      })
    },
  })
  await altered
  const target = await makeDatabase(server)
  expect(await restoreBackup(backup, target.url)).toEqual({ differences: [], problems: [], notes: [] })
  expect(await target.query('SELECT * FROM b')).toEqual([{ id: 1 }])
})

test('a backup and a restore that are stopped leave no session, no lock and no table', async () => {
  const source = await databaseOf('CREATE TABLE a AS SELECT n FROM generate_series(1, 1000) n')
  const stop = new AbortController()
  const stopped = takeBackup(source.url, {
    signal: stop.signal,
    async onPart() {
      stop.abort(new Error('stopped'))
    },
  })
  await expect(stopped).rejects.toThrow('stopped')
  await until(async () => (await sessionsOf(source)) === 0)

  const backup = await takeBackup(source.url)
  const target = await makeDatabase(server)
  const stopRestore = new AbortController()
  const restoring = restoreBackup(backup, target.url, {
    signal: stopRestore.signal,
    change(_, bytes) {
      stopRestore.abort(new Error('stopped'))
      return bytes
    },
  })
  await expect(restoring).rejects.toThrow('stopped')
  await until(async () => (await sessionsOf(target)) === 0)
  expect(await restoreBackup(backup, target.url)).toEqual({ differences: [], problems: [], notes: [] })
})

test('a session that the server ends is an expected failure, and leaves the target as it was', async () => {
  const source = await databaseOf('CREATE TABLE a AS SELECT n FROM generate_series(1, 1000) n')
  const endSessions = ({ query }: TestDatabase) =>
    query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    )
  await expect(
    takeBackup(source.url, { onPart: async () => void (await endSessions(source)) }),
  ).rejects.toMatchObject({ code: 'OUTGROW_POSTGRES_LOST' })

  const backup = await takeBackup(source.url)
  const target = await makeDatabase(server)
  const ended: Promise<unknown>[] = []
  await expect(
    restoreBackup(backup, target.url, {
      change(_, bytes) {
        ended.push(endSessions(target))
        return bytes
      },
      pause: () => Promise.all(ended),
    }),
  ).rejects.toMatchObject({ code: 'OUTGROW_POSTGRES_LOST' })
  expect(await restoreBackup(backup, target.url)).toEqual({ differences: [], problems: [], notes: [] })
})

describe.skipIf(!hasPgbouncer)('behind the real pgbouncer', () => {
  test('a backup and a restore name the pooler', async () => {
    const { url, directUrl, drop } = await makePooledDatabase(server)
    const backup = await takeBackup(directUrl)
    await expect(takeBackup(url)).rejects.toMatchObject({ code: 'OUTGROW_TARGET_POOLED' })
    await expect(restoreBackup(backup, url)).rejects.toMatchObject({ code: 'OUTGROW_TARGET_POOLED' })
    await drop()
  })
})
