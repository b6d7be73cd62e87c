import { existsSync, readFileSync, statSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  connectPostgres,
  openSqlite,
  openSqliteForLock,
  parsePostgresUrl,
  startEmbeddedPostgres,
  withPostgres,
} from '@outgrow/databases'
import { schemaSourceOf } from '@outgrow/schema'
import { makeSqlite, temporaryFolder, until, type TestDatabase } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { exportSnapshot, inspectSource, lockTarget } from '../src/index.ts'
import { emptyTarget, move, plainOptions, sqliteSchema, verifyMove } from './move.ts'

const schema = sqliteSchema('model T {\n  id Int @id\n  name String\n}')
const ddl = 'CREATE TABLE "T" (id int PRIMARY KEY, name text NOT NULL)'

const makeFile = (rows = 3) =>
  makeSqlite(`CREATE TABLE "T" (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL);
    INSERT INTO "T" WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT i, hex(randomblob(20)) FROM n`)

/** The target with a role that may connect and nothing else. */
async function withRole(target: TestDatabase, rights: string): Promise<{ url: string; role: string }> {
  const role = `role_${new URL(target.url).pathname.slice(-8)}`
  await target.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'`)
  const url = new URL(target.url)
  const database = url.pathname.slice(1)
  await target.query(rights.replaceAll('$role', role).replaceAll('$database', database))
  url.username = role
  url.password = 'p'
  return { url: url.href, role }
}

/** Everything in the target that is no system's. */
const contents = (target: TestDatabase) =>
  target.query(
    "SELECT nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname !~ '^pg_|^information_schema' ORDER BY 1, 2",
  )

test('a role that may make schemas and no tables in public is told so before the first row, with the GRANT', async () => {
  const target = await emptyTarget()
  const { url, role } = await withRole(target, 'GRANT CREATE ON DATABASE $database TO $role')
  await expect(move(makeFile(), url, schema)).rejects.toMatchObject({
    code: 'OUTGROW_TARGET_PRIVILEGES',
    fix: `As its owner: GRANT CREATE, USAGE ON SCHEMA public TO "${role}";`,
  })
  expect(await contents(target)).toEqual([])
  await target.drop()
})

test('an empty table of another role, and one that a function depends on, are named before the first row', async () => {
  const target = await emptyTarget()
  await target.query(ddl)
  const { url } = await withRole(
    target,
    'GRANT CREATE ON DATABASE $database TO $role; GRANT ALL ON SCHEMA public TO $role; GRANT ALL ON "T" TO $role',
  )
  const before = await contents(target)
  await expect(move(makeFile(), url, schema)).rejects.toMatchObject({
    code: 'OUTGROW_TARGET_PRIVILEGES',
    message: expect.stringContaining('must be owner of table T') as string,
  })
  await target.query('CREATE FUNCTION shown(t "T") RETURNS text LANGUAGE sql AS $$ SELECT t.name $$')
  await expect(move(makeFile(), target.url, schema)).rejects.toMatchObject({
    code: 'OUTGROW_TARGET_NOT_PLAIN',
    message: expect.stringMatching(/function .*shown/) as string,
  })
  expect(await contents(target)).toEqual(before)
  await target.drop()
})

test('rows that row security hides are not taken for none', async () => {
  const target = await emptyTarget()
  const { url } = await withRole(
    target,
    'GRANT CREATE ON DATABASE $database TO $role; GRANT ALL ON SCHEMA public TO $role',
  )
  await withPostgres(url, (client) =>
    client.query(
      `${ddl}; INSERT INTO "T" VALUES (9, 'hidden'); ALTER TABLE "T" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`,
    ),
  )
  await expect(move(makeFile(), url, schema)).rejects.toMatchObject({ code: 'OUTGROW_TARGET_PRIVILEGES' })
  expect(await target.query('SELECT id FROM "T"')).toEqual([{ id: 9 }])
  await target.drop()
})

test('connections that run short end the move, with nothing left', async () => {
  const target = await emptyTarget()
  const { url } = await withRole(
    target,
    'GRANT CREATE ON DATABASE $database TO $role; GRANT ALL ON SCHEMA public TO $role; ALTER ROLE $role CONNECTION LIMIT 2',
  )
  await expect(move(makeFile(), url, schema)).rejects.toMatchObject({
    code: 'OUTGROW_POSTGRES_UNREACHABLE',
    fix: expect.stringContaining('CONNECTION LIMIT') as string,
  })
  // A server process ends a moment after its connection.
  const open = "SELECT 1 FROM pg_stat_activity WHERE usename LIKE 'role%' AND datname = current_database()"
  await until(async () => (await target.query(open)).length === 0)
  await target.drop()
})

test('a target that takes no writes says so', async () => {
  const target = await emptyTarget()
  await target.query(
    `ALTER DATABASE ${new URL(target.url).pathname.slice(1)} SET default_transaction_read_only = on`,
  )
  await expect(move(makeFile(), target.url, schema)).rejects.toMatchObject({
    code: 'OUTGROW_TARGET_READ_ONLY',
    message: expect.stringContaining('read-only transaction') as string,
  })
  await target.drop()
})

test('a session that keeps a table locked is named at the start, and waited for at the end', async () => {
  const target = await emptyTarget()
  await target.query(ddl)
  const reader = await connectPostgres(target.url)
  await reader.query('BEGIN; SELECT * FROM "T"')
  const { rows } = await reader.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  await expect(move(makeFile(), target.url, schema)).rejects.toMatchObject({
    code: 'OUTGROW_TARGET_LOCKED',
    message: expect.stringContaining(`pid ${rows[0]?.pid}`) as string,
  })
  await reader.query('COMMIT')
  let letting: Promise<unknown> | undefined
  const result = await move(
    makeFile(),
    target.url,
    schema,
    {},
    {
      unfinished: 'restart',
      onStep: async (name) => {
        if (name !== 'Publish') return
        // Keeps the table from the moment in which it is to be put in place, until somebody waits for it.
        await reader.query('BEGIN; SELECT * FROM "T"')
        letting = letGoWhenAwaited(reader, target)
      },
    },
  )
  await letting
  expect(result.tables).toMatchObject([{ targetRows: 3, digestMatch: true }])
  await reader.end()
  await target.drop()
})

async function letGoWhenAwaited(
  reader: Awaited<ReturnType<typeof connectPostgres>>,
  target: TestDatabase,
): Promise<void> {
  const waiting = 'SELECT 1 FROM pg_locks WHERE NOT granted AND relation = to_regclass(\'"T"\')'
  while ((await target.query(waiting)).length === 0) await sleep(5)
  await reader.query('COMMIT')
}

test('two runs at once on one target: the second is told who is at it', async () => {
  const target = await emptyTarget()
  const other = await connectPostgres(target.url)
  await other.query(`SET application_name = 'outgrow 1@elsewhere.example'`)
  await lockTarget(other)
  for (const unfinished of ['refuse', 'resume', 'restart'] as const) {
    await expect(move(makeFile(), target.url, schema, {}, { unfinished })).rejects.toMatchObject({
      code: 'OUTGROW_RUN_ACTIVE',
      message: expect.stringMatching(/process 1 on elsewhere\.example, since \d{4}-/) as string,
    })
  }
  await other.end()
  await move(makeFile(), target.url, schema)
  await target.drop()
})

test('a backend that is ended in the middle of the copy ends the move, which can be resumed', async () => {
  const target = await emptyTarget()
  const from = makeFile(250_000)
  const killing = (async () => {
    const one =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; COPY%' AND datname = current_database() LIMIT 1"
    while ((await target.query(one)).length === 0) await sleep(2)
  })()
  await expect(move(from, target.url, schema)).rejects.toMatchObject({
    code: 'OUTGROW_POSTGRES_LOST',
    message: expect.stringContaining('terminating connection due to administrator command') as string,
  })
  await killing
  const { tables } = await move(from, target.url, schema, {}, { unfinished: 'resume' })
  expect(tables).toMatchObject([{ targetRows: 250_000, digestMatch: true }])
  await target.drop()
})

test('who stops a comparison that waits for a lock is obeyed at once, and its session ends', async () => {
  const target = await emptyTarget()
  const from = makeFile()
  await move(from, target.url, schema)
  const holder = await connectPostgres(target.url)
  await holder.query('BEGIN; LOCK TABLE "T" IN ACCESS EXCLUSIVE MODE')
  const stop = new AbortController()
  const verifying = verifyMove(from, target.url, schema, stop.signal)
  const waits =
    'SELECT pid FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())'
  await until(async () => (await target.query(waits)).length === 1)
  const reason = new Error('stopped')
  stop.abort(reason)
  await expect(verifying).rejects.toBe(reason)
  // The lock is still held: what waited for it is gone all the same.
  await until(async () => (await target.query(waits)).length === 0)
  await holder.end()
  await target.drop()
})

test('a server that never answers keeps nobody waiting once something else has failed', async () => {
  const sockets = new Set<Socket>()
  const silent = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).once('close', () => sockets.delete(socket)))
    socket.resume()
  })
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const url = `postgresql://u:p@127.0.0.1:${port}/d`
  const broken = sqliteSchema('model T {\n  id Nothing @id\n}')
  await expect(move(makeFile(), url, broken)).rejects.toMatchObject({ code: 'OUTGROW_SCHEMA_INVALID' })
  await until(() => sockets.size === 0)
  silent.close()
})

test('a server with too little memory for locks is told which setting to raise', async () => {
  const server = await startEmbeddedPostgres({
    directory: join(temporaryFolder(), 'server'),
    settings: ['fsync=off', 'max_locks_per_transaction=10', 'max_connections=10'],
  })
  const names = Array.from({ length: 500 }, (_, at) => `M${at}`)
  const from = makeSqlite(
    names
      .map((name) => `CREATE TABLE "${name}" (id INTEGER NOT NULL PRIMARY KEY, k TEXT NOT NULL UNIQUE);`)
      .join('\n'),
  )
  const models = names.map((name) => `model ${name} {\n  id Int @id\n  k String @unique\n}`).join('\n')
  await expect(move(from, server.url, sqliteSchema(models))).rejects.toMatchObject({
    code: 'OUTGROW_TARGET_LIMIT',
    fix: expect.stringContaining('max_locks_per_transaction') as string,
  })
  await server.stop('immediate')
})

test.each([
  ['a raw % in the password', 'postgresql://u:50%off@127.0.0.1/d', /password .* contains a %/],
  [
    'a certificate that is not there',
    'postgresql://u@127.0.0.1/d?sslmode=verify-full&sslrootcert=nowhere.pem',
    /sslrootcert=nowhere.pem cannot be read/,
  ],
])('%s in the URL is an expected failure', async (_, url, message) => {
  await expect((async () => connectPostgres(parsePostgresUrl(url)))()).rejects.toMatchObject({
    code: 'OUTGROW_URL_INVALID',
    message: expect.stringMatching(message) as string,
  })
})

test('an IPv6 address is reached without its brackets', async () => {
  await expect(connectPostgres('postgresql://u@[::1]:1/d')).rejects.toMatchObject({
    code: 'OUTGROW_POSTGRES_UNREACHABLE',
    message: expect.stringMatching(/at ::1:1\/d: connect ECONNREFUSED/) as string,
  })
})

test('a file that its application keeps for itself is locked, not missing', async () => {
  const from = makeFile()
  const owner = openSqliteForLock(from)
  owner.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  await expect(move(from, inject('postgresUrl'), schema)).rejects.toMatchObject({
    code: 'OUTGROW_SOURCE_BUSY',
  })
  owner.close()
})

test('an inspection leaves the folder as it was, and a file that is in use too', async () => {
  const from = makeFile()
  const before = [readFileSync(from).toString('hex'), statSync(from).mtimeMs]
  const inspect = () =>
    inspectSource({
      from,
      at: { url: inject('postgresUrl'), isScratch: true },
      schema: schemaSourceOf(schema, temporaryFolder()),
      options: plainOptions,
      progress: () => {},
      signal: new AbortController().signal,
    })
  expect((await inspect()).findings).toEqual([])
  expect([existsSync(`${from}-wal`), existsSync(`${from}-shm`)]).toEqual([false, false])
  expect([readFileSync(from).toString('hex'), statSync(from).mtimeMs]).toEqual(before)
  const writer = openSqlite(from)
  writer.exec(`INSERT INTO "T" VALUES (99, 'more')`)
  expect((await inspect()).tables).toMatchObject([{ sourceRows: 4 }])
  expect(statSync(`${from}-wal`).size).toBeGreaterThan(0)
  writer.close()
})

test('an export ends though somebody writes all the time, and is of one moment', async () => {
  const from = makeFile(100_000)
  const writer = openSqlite(from)
  writer.exec('UPDATE "T" SET name = hex(randomblob(400))') // more pages than are copied at a time
  const insert = writer.prepare('INSERT INTO "T" VALUES (?, ?)')
  let next = 1_000_000
  const writing = setInterval(() => insert.run(next++, 'later'), 5)
  const hasBegun = () => next > 1_000_000
  while (!hasBegun()) await sleep(1)
  const { tables } = await exportSnapshot({
    from,
    directory: join(temporaryFolder(), 'export'),
    progress: () => {},
    signal: new AbortController().signal,
  })
  clearInterval(writing)
  writer.close()
  expect(next).toBeGreaterThan(1_000_000)
  expect(tables[0]?.rows).toBeGreaterThan(100_000)
  expect(tables[0]?.rows).toBeLessThan(100_000 + next - 1_000_000)
})
