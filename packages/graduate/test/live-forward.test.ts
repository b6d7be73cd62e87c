import { expect, test } from 'vitest'
import { openSqlite, withPostgres } from '@outgrow/databases'
import { cutOver, settle } from '../src/flows/live/follow.ts'
import { openSession } from '../src/flows/live/open-session.ts'
import { hold, prepareHold } from '../src/steps/live/hold.ts'
import { verifyLive } from '../src/steps/live/verify-live.ts'
import { following, none } from './live-helpers.ts'

test('changes of a table whose key column is named rowid are followed', async () => {
  const ends = await following(
    `CREATE TABLE t (rowid INTEGER PRIMARY KEY NOT NULL, v TEXT); INSERT INTO t VALUES (100000, 'old'), (100001, 'gone'), (1, 'x')`,
  )
  const application = openSqlite(ends.from)
  await using session = await openSession(ends)
  await settle(session, none)
  expect((await verifyLive(session)).findings).toEqual([])
  application.exec(
    `UPDATE t SET v = 'new' WHERE rowid = 100000; DELETE FROM t WHERE rowid = 100001; INSERT INTO t VALUES (100002, 'added')`,
  )
  await settle(session, none)
  await cutOver(session, { budgetMs: 60_000, attempts: 1 }, none)
  const { rows } = await withPostgres(ends.to, (client) =>
    client.query('SELECT rowid AS id, v FROM t ORDER BY 1'),
  )
  expect(rows).toEqual([
    { id: 1, v: 'x' },
    { id: 100000, v: 'new' },
    { id: 100002, v: 'added' },
  ])
  application.close()
})

test('a table with a cast column is switched although it is written to between preparation and pause', async () => {
  const ends = await following(
    `CREATE TABLE host (id INTEGER PRIMARY KEY NOT NULL, ip TEXT); INSERT INTO host VALUES (1, '10.0.0.1'), (2, '10.0.0.2')`,
    { options: { casts: new Map([['host.ip', 'inet']]) } },
  )
  const application = openSqlite(ends.from)
  await using session = await openSession(ends)
  await settle(session, none)
  application.exec(`INSERT INTO host VALUES (3, '10.0.0.3')`)
  const prepared = await prepareHold(session) // applies row 3
  application.exec(`INSERT INTO host VALUES (4, '10.0.0.4')`)
  await hold(session, prepared, { kind: 'cutover', budgetMs: 60_000 })
  application.close()
  const { rows } = await withPostgres(ends.to, (client) =>
    client.query('SELECT host(ip) AS ip FROM host ORDER BY id'),
  )
  expect(rows.map(({ ip }) => ip as string)).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'])
})

test('a key that is written in two spellings within one batch is one row', async () => {
  const ends = await following(
    `CREATE TABLE m (at DATETIME NOT NULL PRIMARY KEY, v INTEGER NOT NULL); INSERT INTO m VALUES ('2026-01-01T00:00:00.000Z', 1), ('2026-01-02T00:00:00.000Z', 1)`,
  )
  const application = openSqlite(ends.from)
  await using session = await openSession(ends)
  await settle(session, none)
  application.exec(
    `DELETE FROM m WHERE at = '2026-01-01T00:00:00.000Z'; INSERT INTO m VALUES (1767225600000, 2)`,
  )
  await settle(session, none)
  expect((await verifyLive(session)).findings).toEqual([])
  application.close()
})

test('writes are held no longer than the budget when a bulk change arrives right before the pause', async () => {
  const ends = await following(
    `CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, v INTEGER NOT NULL);
     INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) SELECT i, 0 FROM n`,
    { maxLog: 1_000_000 },
  )
  const application = openSqlite(ends.from)
  await using session = await openSession(ends)
  await settle(session, none)
  const prepared = await prepareHold(session)
  const lock = session.file.lock.bind(session.file)
  session.file.lock = (...args) => {
    application.exec('UPDATE t SET v = 1')
    return lock(...args)
  }
  await expect(hold(session, prepared, { kind: 'cutover', budgetMs: 100 })).rejects.toMatchObject({
    code: 'OUTGROW_PAUSE_TOO_LONG',
  })
  expect(application.prepare('UPDATE t SET v = 2 WHERE id = 1').run().changes).toBe(1)
  application.close()
})

test('a target that has lost applied batches (a replica was promoted, a backup restored) is not taken for one that follows', async () => {
  const ends = await following(
    `CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, v TEXT); INSERT INTO t VALUES (1, 'a')`,
  )
  const application = openSqlite(ends.from)
  let before = 0
  {
    await using session = await openSession(ends)
    await settle(session, none)
    expect((await verifyLive(session)).findings).toEqual([])
    before = session.graduation.applied
    application.exec(`INSERT INTO t VALUES (2, 'b'), (4, 'd')`)
    await settle(session, none)
    // What the failover to a replica that was behind leaves: the batch is gone, its position with it.
    await session.target.client.query(`SET outgrow.applying = 'on'`)
    await session.target.client.query(
      `DELETE FROM ${session.tables.map(({ planned: { target } }) => `"${target.schema}"."${target.name}"`).join()} WHERE id IN (2, 4)`,
    )
    await session.target.client.query(`UPDATE ${session.ledger.table} SET applied = ${before}`)
  }
  application.exec(`INSERT INTO t VALUES (3, 'c')`)
  await using session = await openSession(ends)
  const end = await cutOver(session, { budgetMs: 60_000, attempts: 1 }, none).catch((error: Error) => error)
  const { rows } = await withPostgres(ends.to, (client) =>
    client.query('SELECT id FROM t ORDER BY 1').catch(() => ({ rows: 'not switched' })),
  )
  expect(end).toMatchObject({ code: 'OUTGROW_CAPTURE_OVERFLOWED' })
  expect(rows).toBe('not switched')
  application.close()
})

test('rows whose keys only a collation of the column makes equal are followed', async () => {
  const ends = await following(
    `CREATE TABLE t (k TEXT COLLATE NOCASE NOT NULL, v TEXT); CREATE UNIQUE INDEX t_k ON t (k COLLATE BINARY); INSERT INTO t VALUES ('a', '1'), ('A', '2')`,
    { schema: 'model t {\n  k String @id\n  v String?\n}\n' },
  )
  const application = openSqlite(ends.from)
  await using session = await openSession(ends)
  await settle(session, none)
  application.exec(`UPDATE t SET v = '3' WHERE k = 'a' COLLATE BINARY`)
  application.close()
  await settle(session, none)
  expect((await verifyLive(session)).findings).toEqual([])
})

test('rows that are large are applied in parts that fit into memory', async () => {
  const ends = await following(
    `CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, v BLOB); INSERT INTO t VALUES (0, x'00')`,
  )
  const application = openSqlite(ends.from)
  application.exec(
    `INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT i, zeroblob(150000) FROM n`,
  )
  application.close()
  await using session = await openSession(ends)
  let most = 0
  const watching = setInterval(() => (most = Math.max(most, process.memoryUsage().arrayBuffers)), 5)
  const query = session.target.client.query.bind(session.target.client) as (...values: unknown[]) => unknown
  session.target.client.query = ((...values: unknown[]) => {
    most = Math.max(most, process.memoryUsage().arrayBuffers)
    return query(...values)
  }) as never
  await settle(session, none)
  clearInterval(watching)
  // Half of what the rows are together: what is collected when is up to the engine.
  expect(most).toBeLessThan(150e6)
})
