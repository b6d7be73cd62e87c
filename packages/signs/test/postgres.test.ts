import { connectPostgres, withPostgres } from '@outgrow/databases'
import { makeDatabase, until } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { examine } from '../src/index.ts'

test('Postgres is judged by its own statistics', async () => {
  const database = await makeDatabase(inject('postgresUrl'))
  await database.query('CREATE TABLE parents (id int PRIMARY KEY)')
  await database.query('CREATE TABLE children (id int PRIMARY KEY, a int, parent_id int REFERENCES parents)')
  await database.query('CREATE TABLE indexed (id int PRIMARY KEY, parent_id int REFERENCES parents)')
  await database.query('CREATE INDEX ON indexed (parent_id) INCLUDE (id)')
  await database.query('INSERT INTO parents SELECT generate_series(1, 10)')
  await database.query('INSERT INTO children SELECT n, n, n % 10 + 1 FROM generate_series(1, 20000) n')
  await database.query('INSERT INTO indexed SELECT n, n % 10 + 1 FROM generate_series(1, 20000) n')
  await database.query('ANALYZE')

  const [holder, waiter] = [await connectPostgres(database.url), await connectPostgres(database.url)]
  await holder.query('BEGIN')
  await holder.query('SELECT * FROM parents WHERE id = 1 FOR UPDATE')
  const waiting = waiter.query('UPDATE parents SET id = id WHERE id = 1')
  const waits = `SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE datname = current_database() AND NOT granted AND waitstart < clock_timestamp() - interval '1.2 s'`
  await until(async () => (await database.query(waits)).length > 0)
  const examination = await examine({ url: database.url, windowMs: 300 })
  await holder.query('COMMIT')
  await waiting
  await holder.end()
  await waiter.end()

  const sign = (name: string) => examination.signs.find((one) => one.name === name)
  expect(sign('lock-waits')).toMatchObject({ level: 'watch' })
  expect(sign('lock-waits')?.value).toBeGreaterThan(1000)
  expect(sign('foreign-key-indexes')).toMatchObject({ level: 'watch', text: 'children (parent_id)' })
  expect(sign('time-zone')?.text).toContain('America/New_York')
  expect(sign('connections')).toMatchObject({ level: 'fine' })
  expect(sign('pooler')).toMatchObject({ level: 'fine', text: 'none found' })
  expect(JSON.stringify(examination)).not.toContain(new URL(database.url).password)

  // A role that may not see others says so, and finds nobody idle or waiting.
  await database.query("CREATE ROLE plain_reader LOGIN PASSWORD 'plain' CONNECTION LIMIT 1")
  const plain = new URL(database.url)
  plain.username = 'plain_reader'
  plain.password = 'plain'
  const seen = await examine({ url: plain.href, windowMs: 100 })
  const names = ['idle-in-transaction', 'lock-waits', 'oldest-transaction', 'replica-lag', 'pooler']
  expect(seen.signs.filter(({ name }) => names.includes(name)).map(({ value }) => value)).toEqual([
    null,
    null,
    null,
    null,
    null,
  ])
  expect(seen.postgres?.connections.used).toBeGreaterThan(0)
  await database.drop()
  await withPostgres(inject('postgresUrl'), (client) => client.query('DROP ROLE plain_reader'))
})
