import { expect, test } from 'vitest'
import {
  authorityLock,
  connectPostgres,
  openSqlite,
  withPostgres,
  type PostgresClient,
} from '@outgrow/databases'
import { cutOver, settle } from '../src/flows/live/follow.ts'
import { openSession, type OpenedSession } from '../src/flows/live/open-session.ts'
import { rollBack } from '../src/flows/live/roll-back.ts'
import { verifyLive } from '../src/steps/live/verify-live.ts'
import { following, none, type FollowingOptions } from './live-helpers.ts'

/** A file whose rows are in Postgres by now; `meanwhile` is what the application does while the file is followed. */
async function switched(
  sql: string,
  { meanwhile = '', ...prepared }: FollowingOptions & { meanwhile?: string } = {},
) {
  const ends = await following(sql, prepared)
  const application = openSqlite(ends.from)
  application.exec(meanwhile)
  application.close()
  await using session = await openSession(ends)
  await settle(session, none)
  await cutOver(session, { budgetMs: 60_000, attempts: 1 }, none)
  return ends
}

/** Lets `work` happen right after both sides were compared, while the application still writes. */
function onceCompared({ ledger }: OpenedSession, work: () => Promise<unknown>): void {
  const record = ledger.recordVerification.bind(ledger)
  ledger.recordVerification = async (verified) => {
    ledger.recordVerification = record
    await record(verified)
    await work()
  }
}

const goBack = (session: OpenedSession, budgetMs = 60_000) =>
  rollBack(session, { budgetMs, attempts: 1 }, none)

const inFile = (path: string, sql: string) => {
  const database = openSqlite(path)
  const rows = database.prepare(sql).raw().all()
  database.close()
  return rows
}

const simple = `CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, v TEXT); INSERT INTO t VALUES (1, 'a')`

test('what does not fit into the log of Postgres once both sides were compared ends the way back', async () => {
  const ends = await switched(simple, { maxLog: 50 })
  const client = await connectPostgres(ends.to)
  await using session = await openSession(ends)
  onceCompared(session, () => client.query(`INSERT INTO t SELECT i, 'late' FROM generate_series(100, 199) i`))
  await expect(goBack(session)).rejects.toMatchObject({ code: 'OUTGROW_BACK_OVERFLOWED' })
  expect((await client.query('SELECT count(*)::int AS n FROM t')).rows).toEqual([{ n: 101 }])
  await client.end()
})

test('a log of Postgres that was applied is not full', async () => {
  const ends = await switched(simple, { maxLog: 50 })
  const client = await connectPostgres(ends.to)
  await client.query(`INSERT INTO t SELECT i, 'early' FROM generate_series(100, 139) i`)
  await using session = await openSession(ends)
  onceCompared(session, () => client.query(`INSERT INTO t SELECT i, 'late' FROM generate_series(200, 239) i`))
  await goBack(session)
  expect(inFile(ends.from, 'SELECT count(*) FROM t')).toEqual([[81]])
  await client.end()
})

test('a migration of Postgres ends the way back also once both sides were compared', async () => {
  const ends = await switched(simple)
  const client = await connectPostgres(ends.to)
  await using session = await openSession(ends)
  onceCompared(session, () =>
    client.query(`ALTER TABLE t ADD COLUMN extra TEXT; UPDATE t SET extra = 'acknowledged'`),
  )
  await expect(goBack(session)).rejects.toMatchObject({ code: 'OUTGROW_SCHEMA_CHANGED_LIVE' })
  expect((await client.query('SELECT * FROM t')).rows).toEqual([{ id: 1, v: 'a', extra: 'acknowledged' }])
  await client.end()
})

test.each([
  ['with many others', `INSERT INTO t SELECT i, 1 FROM generate_series(100, 11000) i`],
  ['with TRUNCATE', 'TRUNCATE t'],
])('a number that the file would round is named also when it comes %s', async (_, others) => {
  const ends = await switched(
    `CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, price DECIMAL); INSERT INTO t VALUES (1, 1.5)`,
  )
  await using session = await openSession(ends)
  const late = `INSERT INTO t VALUES (77, 12345678901234567.123456789)`
  onceCompared(session, () => withPostgres(ends.to, (client) => client.query(`${others}; ${late}`)))
  await expect(goBack(session)).rejects.toThrow(
    'cannot be held by the SQLite file as it is: price of the row id=77.',
  )
})

test('nobody changes rows in Postgres any more after the way back, whatever names the tables', async () => {
  const ends = await switched(simple)
  const [client, old] = [await connectPostgres(ends.to), await connectPostgres(ends.to)]
  await client.query(`CREATE SCHEMA reports; CREATE VIEW reports.t AS SELECT * FROM t;
    CREATE FUNCTION reports.add(text) RETURNS void LANGUAGE sql BEGIN ATOMIC INSERT INTO t VALUES (3, $1); END`)
  await old.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1')
  await client.query(`INSERT INTO reports.t VALUES (2, 'b')`)
  {
    await using session = await openSession(ends)
    await goBack(session)
  }
  for (const [one, sql] of [
    [client, `INSERT INTO reports.t VALUES (3, 'lost')`],
    [client, `SELECT reports.add('lost')`],
    [old, `INSERT INTO reports.t VALUES (3, 'lost')`],
  ] as const)
    await expect(one.query(sql)).rejects.toThrow(`The rows of t are in the SQLite file ${ends.from} on `)
  await Promise.all([client.end(), old.end()])
  const application = openSqlite(ends.from)
  application.exec(`UPDATE t SET v = 'c' WHERE id = 2`)
  application.close()
  await using session = await openSession(ends)
  await cutOver(session, { budgetMs: 60_000, attempts: 1 }, none)
  const { rows } = await withPostgres(ends.to, (after) => after.query('SELECT * FROM reports.t ORDER BY id'))
  expect(rows).toEqual([
    { id: 1, v: 'a' },
    { id: 2, v: 'c' },
  ])
})

test('a cancel that arrives late does not leave the applications locked out', async () => {
  const ends = await switched(simple)
  const [report, application] = [await connectPostgres(ends.to), await connectPostgres(ends.to)]
  await using session = await openSession(ends)
  onceCompared(session, () => report.query('BEGIN; SELECT * FROM t'))
  // As with a slow network: the cancel is under way while the lock is given back.
  const { promise: isUnlocking, resolve: unlocking } = Promise.withResolvers<void>()
  delayed(session.second.client, 'pg_cancel_backend', (send) => isUnlocking.then(() => send('')))
  delayed(session.target.client, 'pg_advisory_unlock', (send) => {
    setTimeout(unlocking, 20)
    return send('SELECT pg_sleep(0.3); ')
  })
  await expect(goBack(session, 100)).rejects.toMatchObject({ code: 'OUTGROW_PAUSE_TOO_LONG' })
  await report.query('COMMIT')
  await application.query('SET lock_timeout = 60000')
  await application.query(`SELECT pg_advisory_xact_lock_shared(${authorityLock.join(', ')})`)
  // And the session is what it was: its next attempt is not cancelled.
  await goBack(session)
  await Promise.all([report.end(), application.end()])
})

/** Lets `change` send the statements that contain `word`, the first time with other SQL before them. */
function delayed(
  client: PostgresClient,
  word: string,
  change: (send: (before: string) => Promise<unknown>) => Promise<unknown>,
): void {
  const own = client as unknown as { query: (text: unknown, ...values: unknown[]) => Promise<unknown> }
  const query = own.query.bind(own)
  own.query = (text, ...values) => {
    if (typeof text !== 'string' || !text.includes(word)) return query(text, ...values)
    own.query = query
    return change((before) => query(before + text, ...values))
  }
}

test('TRUNCATE goes back where the key is of domains that are NOT NULL', async () => {
  const ends = await switched(
    `CREATE TABLE t (id INTEGER NOT NULL, code TEXT NOT NULL, v TEXT, PRIMARY KEY (id, code)); INSERT INTO t VALUES (1, 'a', 'x')`,
    {
      schema: 'model t {\n  id Int\n  code String\n  v String?\n  @@id([id, code])\n}\n',
      prepare: `CREATE DOMAIN number AS int4 NOT NULL; CREATE DOMAIN word AS varchar(20) NOT NULL;
        CREATE TABLE t (id number, code word, v text, PRIMARY KEY (id, code))`,
    },
  )
  await withPostgres(ends.to, (client) => client.query(`TRUNCATE t; INSERT INTO t VALUES (2, 'b', 'y')`))
  await using session = await openSession(ends)
  await goBack(session)
  expect(inFile(ends.from, 'SELECT * FROM t')).toEqual([[2, 'b', 'y']])
})

test('AUTOINCREMENT goes on where Postgres was, also of a table that never had a row in the file', async () => {
  const ends = await switched(`CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, v TEXT);
    CREATE TABLE plain (id INTEGER PRIMARY KEY NOT NULL, "AUTOINCREMENT" TEXT)`)
  const sql = `INSERT INTO t (v) SELECT 'x' FROM generate_series(1, 9); DELETE FROM t; INSERT INTO plain VALUES (DEFAULT, 'x')`
  await withPostgres(ends.to, (client) => client.query(sql))
  {
    await using session = await openSession(ends)
    await goBack(session)
  }
  expect(inFile(ends.from, `INSERT INTO t (v) VALUES ('y') RETURNING id`)).toEqual([[10]])
  expect(inFile(ends.from, 'SELECT name FROM sqlite_sequence')).toEqual([['t']])
})

test('rows go back whose key has a name that looks like the end of a function', async () => {
  const ends = await switched(
    `CREATE TABLE t ("a$outgrow$b" INTEGER PRIMARY KEY NOT NULL, v TEXT); INSERT INTO t VALUES (1, 'a')`,
  )
  await withPostgres(ends.to, (client) => client.query(`INSERT INTO t VALUES (2, 'b')`))
  await using session = await openSession(ends)
  await goBack(session)
  expect(inFile(ends.from, 'SELECT * FROM t')).toEqual([
    [1, 'a'],
    [2, 'b'],
  ])
})

test('a row of Postgres takes the place of one in quarantine that has its key', async () => {
  const ends = await switched(
    `CREATE TABLE t (code TEXT PRIMARY KEY NOT NULL, at DATETIME); INSERT INTO t VALUES ('a', '2026-01-01T00:00:00.000Z')`,
    {
      options: { onBadValue: 'quarantine' },
      schema: 'model t {\n  code String @id\n  at DateTime?\n}\n',
      meanwhile: `INSERT INTO t VALUES ('bad', 'never'), ('worse', 'no time')`,
    },
  )
  await withPostgres(ends.to, (client) =>
    client.query(`INSERT INTO t VALUES ('bad', '2026-02-03 04:05:06.789Z')`),
  )
  {
    await using session = await openSession(ends)
    await goBack(session)
  }
  expect(inFile(ends.from, 'SELECT * FROM t ORDER BY code')).toEqual([
    ['a', '2026-01-01T00:00:00.000Z'],
    ['bad', '2026-02-03T04:05:06.789+00:00'],
    ['worse', 'no time'],
  ])
  await using session = await openSession(ends)
  expect((await verifyLive(session)).findings).toEqual([])
})

test('digests that differ end the way back although no row is found that does', async () => {
  const ends = await switched(simple)
  await using session = await openSession(ends)
  session.second.digests = (tables) => Promise.resolve(tables.map(() => ({ rows: 1, sum: 1n })))
  session.second.digest = () => Promise.resolve({ rows: 1, sum: 1n })
  await expect(goBack(session)).rejects.toThrow('The file would differ from Postgres: the rows of t.')
})

test('the application is held for little on the way back of a large table whose key has a moment', async () => {
  const ends = await switched(
    `CREATE TABLE m (sensor INTEGER NOT NULL, at DATETIME NOT NULL, v REAL NOT NULL, PRIMARY KEY (sensor, at));
     INSERT INTO m WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i % 10, 1767225600000 + i * 1000, 0.5 FROM n;
     INSERT INTO m VALUES (1, '2026-02-01T00:00:00+01:00', 1)`,
  )
  const client = await connectPostgres(ends.to)
  await using session = await openSession(ends)
  const writes = [
    `UPDATE m SET v = 2 WHERE at = '2026-01-31 23:00:00Z'`,
    `UPDATE m SET v = 3 WHERE sensor = 1 AND at = '2026-01-01 00:00:01Z'`,
  ]
  delayed(session.target.client, 'LOCK TABLE', (send) => client.query(writes.join('; ')).then(() => send('')))
  const began = performance.now()
  const { held } = await goBack(session)
  const wholeMs = performance.now() - began
  await client.end()
  expect(held.keys).toBe(2)
  // Reading the table takes longer; on a slow machine all of it does.
  expect(held.ms).toBeLessThan(Math.max(500, wholeMs / 4))
  expect(inFile(ends.from, 'SELECT * FROM m WHERE v > 1 ORDER BY v')).toEqual([
    [1, '2026-02-01T00:00:00+01:00', 2],
    [1, 1767225601000, 3],
  ])
})

test('rows are found by keys of any type, however the file spells them', async () => {
  const id = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'
  const ends = await switched(
    `CREATE TABLE u (id TEXT PRIMARY KEY NOT NULL, v INTEGER); INSERT INTO u VALUES ('${id}', 1), ('${id.toLowerCase().replace('a', 'b')}', 1), ('${id.replaceAll('-', '').replace('A', 'C')}', 1);
     CREATE TABLE d (n DECIMAL NOT NULL, w TEXT NOT NULL, v INTEGER, PRIMARY KEY (n, w)) WITHOUT ROWID; INSERT INTO d VALUES (1.5, '2.50', 1), (2, '1e2', 1), (-0.25, '0', 1);
     CREATE TABLE b (k BLOB PRIMARY KEY NOT NULL, v INTEGER); INSERT INTO b VALUES (x'00ff', 1), (x'', 1);
     CREATE TABLE f (k REAL PRIMARY KEY NOT NULL, v INTEGER); INSERT INTO f VALUES (0.1, 1), (3, 1);
     CREATE TABLE m (at DATETIME PRIMARY KEY NOT NULL, v INTEGER); INSERT INTO m VALUES ('2026-01-01', 1), ('2026-01-02 03:04:05', 1), (1767225600001, 1), ('2026-01-03T00:00Z', 1), ('2026-01-04T05:06:07.008Z', 1), ('2026-01-04T05:06:07.009+00:00', 1)`,
    {
      options: { rules: new Set(['uuid-respell']) },
      schema: `model u {\n  id String @id\n  v Int?\n}\nmodel d {\n  n Decimal\n  w Decimal\n  v Int?\n  @@id([n, w])\n}
model b {\n  k Bytes @id\n  v Int?\n}\nmodel f {\n  k Float @id\n  v Int?\n}\nmodel m {\n  at DateTime @id\n  v Int?\n}\n`,
      prepare: `CREATE TABLE u (id uuid PRIMARY KEY, v int4); CREATE TABLE d (n numeric, w numeric, v int4, PRIMARY KEY (n, w));
        CREATE TABLE b (k bytea PRIMARY KEY, v int4); CREATE TABLE f (k float8 PRIMARY KEY, v int4); CREATE TABLE m (at timestamptz(3) PRIMARY KEY, v int4)`,
    },
  )
  const names = ['u', 'd', 'b', 'f', 'm']
  const keys = (prefix = '') =>
    names.map((name) => {
      const columns = name === 'd' ? `quote(n), quote(w)` : `quote(${{ u: 'id', m: 'at' }[name] ?? 'k'})`
      return inFile(ends.from, `SELECT ${columns}, v FROM ${prefix}${name} ORDER BY 1`) as unknown[][]
    })
  const before = keys('_graduated_')
  await withPostgres(ends.to, (client) =>
    client.query(names.map((name) => `UPDATE ${name} SET v = 2`).join('; ')),
  )
  await using session = await openSession(ends)
  await goBack(session)
  expect(keys()).toEqual(before.map((rows) => rows.map((row) => [...row.slice(0, -1), 2])))
})

test('the way back ends where the application writes as fast as its changes are applied', async () => {
  const ends = await switched('CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, v INTEGER NOT NULL)')
  await using session = await openSession(ends)
  const reading = session.second.reading.bind(session.second)
  session.second.reading = async (work) => {
    await withPostgres(ends.to, (client) =>
      client.query(
        'INSERT INTO t SELECT (SELECT coalesce(max(id), 0) FROM t) + n, n FROM generate_series(1, 1000) n',
      ),
    )
    return await reading(work)
  }
  // No thousand rows are applied in that.
  await expect(goBack(session, 1)).rejects.toMatchObject({
    code: 'OUTGROW_PAUSE_TOO_LONG',
    message: expect.stringContaining('as fast as they are applied') as string,
  })
  expect(session.file.authority).toMatchObject({ side: 'postgres', state: 'switched' })
})
