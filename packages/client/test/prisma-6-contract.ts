import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  authorityDdl,
  listProcesses,
  openSqlite,
  parsePostgresUrl,
  readTargetIdentity,
  withPostgres,
  writeAuthority,
} from '@outgrow/databases'
import { makeDatabase, makeSqlite, startReplication, until } from '@outgrow/testing'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { insertIgnore, isUniqueViolation, lockForUpdate, openDatabase, type Database } from '../src/index.ts'

const folder = join(import.meta.dirname, 'prisma-6')
const generated = join(folder, 'generated')

/** What the tests use of the client, whose types are made when they run. */
interface Client {
  $connect(): Promise<void>
  $disconnect(): Promise<void>
  $transaction<Result>(
    work: (tx: Omit<Client, '$connect' | '$disconnect' | '$extends'>) => Promise<Result>,
  ): Promise<Result>
  $queryRawUnsafe(query: string, ...values: never[]): Promise<unknown>
  $extends: unknown
  thing: {
    findMany(args?: object): Promise<{ id: number; name: string; at: Date }[]>
    create(args: { data: object }): Promise<{ id: number }>
    createMany(args: { data: object[] }): Promise<{ count: number }>
    count(args?: object): Promise<number>
  }
}

const schema = (provider: string) => `generator client {
  provider   = "prisma-client"
  output     = "./${provider}/client"
  engineType = "client"
}
datasource db {
  provider = "${provider}"
  url      = "unused"
}
model Thing {
  id   Int      @id @default(autoincrement())
  name String   @unique
  at   DateTime @default(now())
  @@map("things")
}
`

const ddl = {
  sqlite:
    'CREATE TABLE things (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP); CREATE UNIQUE INDEX things_name_key ON things(name)',
  postgres:
    'CREATE TABLE things (id SERIAL PRIMARY KEY, name TEXT NOT NULL, at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP); CREATE UNIQUE INDEX things_name_key ON things(name)',
}

/** Prisma 6 downloads native engines that a client of this kind does not use, unless any file is named in their place. */
const noEngines = {
  PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
  PRISMA_QUERY_ENGINE_LIBRARY: process.execPath,
}

function generate(provider: 'sqlite' | 'postgresql'): void {
  const prisma = createRequire(join(folder, 'package.json')).resolve('prisma/build/index.js')
  const file = join(generated, `${provider}.prisma`)
  rmSync(join(generated, provider), { recursive: true, force: true })
  mkdirSync(generated, { recursive: true })
  writeFileSync(file, schema(provider))
  execFileSync(process.execPath, [prisma, 'generate', '--schema', file, '--no-hints'], {
    cwd: folder,
    stdio: 'pipe',
    env: { ...process.env, ...noEngines, CHECKPOINT_DISABLE: '1' },
  })
}

const load = (provider: string) =>
  import(pathToFileURL(join(generated, provider, 'client/client.ts')).href) as Promise<{
    PrismaClient: new (options: never) => Client
  }>

/** Held against one database a process: the clients of Prisma 6 share one query compiler, which knows the first one's. */
export function holdsOn(provider: 'sqlite' | 'postgres'): void {
  let database: Database<Client>
  let drop = async () => {}

  beforeAll(async () => {
    generate(provider === 'sqlite' ? 'sqlite' : 'postgresql')
    database = await openDatabase<Client>(
      { sqlite: () => load('sqlite'), postgres: () => load('postgresql') },
      await emptyDatabase(),
      { postgresUrl: inject('postgresUrl') },
    )
  })
  afterAll(async () => {
    await database.close()
    await drop()
  })

  async function emptyDatabase(): Promise<string> {
    if (provider === 'sqlite') return `file:${makeSqlite(ddl.sqlite)}`
    const target = await makeDatabase(inject('postgresUrl'))
    drop = () => target.drop()
    await withPostgres(target.url, (client) => client.query(ddl.postgres))
    return target.url
  }

  test(`a client of Prisma 6.16 keeps every guarantee on ${provider}`, async () => {
    const { client } = database
    const { id } = await client.thing.create({
      data: { name: 'a', at: new Date('2024-11-03T05:59:59.999Z') },
    })
    expect(await client.thing.findMany()).toEqual([
      { id, name: 'a', at: new Date('2024-11-03T05:59:59.999Z') },
    ])
    const inside = client.$transaction(async (tx) => {
      await lockForUpdate(database, tx, 'thing', { id })
      return client.thing.count()
    })
    await expect(inside).rejects.toThrow('inside its own transaction callback')
    expect(await insertIgnore(database, client, 'thing', [{ name: 'a' }, { name: 'b' }] as never)).toBe(1)
    const error: unknown = await client.thing
      .create({ data: { name: 'a' } })
      .catch((caught: unknown) => caught)
    expect(isUniqueViolation(error, database, 'thing', ['name'])).toBe(true)
    expect(isUniqueViolation(error, database, 'thing', ['at'])).toBe(false)
    const added = Array.from({ length: 12 }, (_, at) =>
      client.$transaction((tx) => tx.thing.create({ data: { name: `n${at}` } })),
    )
    await Promise.all(added)
    expect(await client.thing.count()).toBe(14)
    expect(database.counters().transactions.count).toBeGreaterThan(11)
  })

  test.runIf(provider === 'postgres')('its reads go to a replica that has its writes', async () => {
    const replication = await startReplication(1)
    const primary = await makeDatabase(replication.url)
    await withPostgres(primary.url, (client) => client.query(ddl.postgres))
    const replica = new URL(replication.standbys[0]?.url ?? '')
    replica.pathname = new URL(primary.url).pathname
    const clients = { sqlite: () => load('sqlite'), postgres: () => load('postgresql') }
    const options = { replicas: [replica.href], replicaLimits: { maxWaitMs: 5000 } }
    const spread = await openDatabase<Client>(clients, primary.url, options)
    await until(() => spread.counters().replicas?.servers[0]?.isInUse === true)
    await spread.client.thing.create({ data: { name: 'mine' } })
    await spread.client.$transaction((tx) => tx.thing.create({ data: { name: 'mine, too' } }))
    expect([await spread.client.thing.count(), (await spread.client.thing.findMany()).length]).toEqual([2, 2])
    expect(spread.counters().replicas).toMatchObject({ replicaReads: 2, primaryReads: 0 })
    await spread.close()
    await replication.close()
  })

  test.runIf(provider === 'sqlite')(
    'it says that it cannot follow a live graduation, and goes on',
    async () => {
      const file = openSqlite(new URL(database.url).pathname)
      for (const statement of authorityDdl) file.exec(statement)
      const target = await readTargetIdentity(parsePostgresUrl(inject('postgresUrl')))
      writeAuthority(file, { side: 'sqlite', epoch: 1, state: 'following', target, graduation: 'six' })
      await until(() => listProcesses(file)[0]?.reaches === false)
      expect(listProcesses(file)[0]?.problem).toContain('OUTGROW_CLIENT_UNSUPPORTED')
      expect(await database.client.thing.count()).toBe(14)
      file.close()
    },
  )
}
