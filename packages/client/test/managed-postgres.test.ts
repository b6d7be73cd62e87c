import { setTimeout as sleep } from 'node:timers/promises'
import {
  CertificateAuthority,
  hasOpenssl,
  makeSampleDatabase,
  ManagedPostgres,
  until,
  type ManagedBehaviour,
} from '@outgrow/testing'
import { openSample, type SampleDatabase } from '@outgrow/sample'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { isUnavailable } from '../src/index.ts'

const neon = 'ep-test-1.eu-central-1.aws.neon.tech'
const limited = {
  connections: 2,
  code: 'XX000',
  message:
    'MaxClientsInSessionMode: max clients reached - in Session mode max clients are limited to pool_size',
}

/** The facade, through hosts that behave as those of providers do. */
describe('the facade on managed Postgres', () => {
  let made: Awaited<ReturnType<typeof makeSampleDatabase>>
  const ending: (() => Promise<void>)[] = []

  beforeAll(async () => {
    made = await makeSampleDatabase('postgres', inject('postgresUrl'))
  })
  afterEach(async () => {
    for (const end of ending.splice(0).toReversed()) await end()
  })
  afterAll(() => made.drop())

  async function start(behaviour?: ManagedBehaviour): Promise<ManagedPostgres> {
    const server = await ManagedPostgres.start(made.url, behaviour)
    ending.push(() => server.stop())
    return server
  }

  async function open(url: string): Promise<SampleDatabase> {
    const database = await openSample(url)
    ending.push(() => database.close())
    return database
  }

  const count = ({ client }: SampleDatabase) => client.account.count()

  test('a connection that the provider has closed while it idled is made again, and nobody notices', async () => {
    const server = await start()
    const { client } = await open(server.url(neon))
    for (let round = 1; round <= 3; round++) {
      await client.account.create({ data: { name: 'idle', slug: `idle-${round}-${Date.now()}` } })
      server.dropIdle('now')
      await until(() => server.openConnections === 0)
    }
    expect(await client.account.count({ where: { name: 'idle' } })).toBe(3)
  })

  test('where it is found dead only when it is used, what changes nothing is sent again, and a write says so', async () => {
    const server = await start()
    const database = await open(server.url(neon, { connection_limit: 3 }))
    const { client } = database
    // Several connections, each of which is dead when it is used next.
    const all = () =>
      Promise.all([count(database), client.account.findMany({ take: 1 }), client.person.findFirst()])
    await all()
    server.dropIdle('on use')
    await all()
    server.dropIdle('on use')
    await client.$transaction(async (tx) =>
      tx.account.create({ data: { name: 'begun', slug: `begun-${Date.now()}` } }),
    )
    expect(server.seen.dropped).toBeGreaterThanOrEqual(2)
    expect(await client.account.count({ where: { name: 'begun' } })).toBe(1)
    await client.account.count()
    server.dropIdle('on use')
    const written = client.account.create({ data: { name: 'lost', slug: 'lost' } })
    const error = await written.catch((caught: unknown) => caught)
    expect(isUnavailable(error)).toBe(true)
    expect(await client.account.count({ where: { name: 'lost' } })).toBe(0)
  })

  test('a read that somebody ended while it ran is not sent again', async () => {
    const server = await start()
    const { client } = await open(server.url(neon))
    const [holder, admin] = [await open(made.url), await open(made.url)]
    const waiting = () => admin.client.$queryRaw<{ pid: number }[]>`
      SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    const error = await holder.client.$transaction(
      async (tx) => {
        await tx.$executeRaw`LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE`
        const reading = client.account.count().catch((caught: unknown) => caught)
        await until(async () => (await waiting()).length === 1)
        const [{ pid } = { pid: 0 }] = await waiting()
        await admin.client.$queryRaw`SELECT pg_terminate_backend(${pid}::int)`
        return reading
      },
      { timeout: 60_000 },
    )
    expect(isUnavailable(error)).toBe(true)
  })

  test('one that sleeps is waited for, when it is opened and later', async () => {
    const server = await start()
    server.sleeps = 3
    const { client } = await open(server.url(neon))
    expect(server.seen.refused).toBe(3)
    expect(await client.account.count()).toBeGreaterThanOrEqual(0)
    server.sleeps = 2
    server.cutAll()
    await until(() => server.openConnections === 0)
    await client.account.create({ data: { name: 'awake', slug: `awake-${Date.now()}` } })
    expect(server.seen.refused).toBe(5)
    expect(await client.account.count({ where: { name: 'awake' } })).toBe(1)
  })

  test('a server of one’s own that is away is not waited for', async () => {
    const server = await start()
    server.sleeps = 100
    await expect(openSample(server.url('db.example.test'))).rejects.toMatchObject({
      code: 'OUTGROW_POSTGRES_UNREACHABLE',
    })
    expect(server.seen.refused).toBeLessThan(5)
  })

  test('a limit of connections is named when it is met at the start, and is temporary later', async () => {
    const server = await start({ limit: limited })
    const url = server.url('aws-0-eu-west-1.pooler.supabase.com', { connection_limit: 5 })
    const database = await open(url)
    const { client } = database
    const results = await Promise.allSettled(
      Array.from({ length: 4 }, () =>
        client.$transaction(async (tx) => {
          await sleep(50)
          return tx.account.count()
        }),
      ),
    )
    const failed = results.filter((one) => one.status === 'rejected')
    expect(failed.length).toBeGreaterThan(0)
    for (const { reason } of failed) expect(isUnavailable(reason)).toBe(true)
    // All connections are taken: by ours, and then by none.
    const held = client.$transaction(
      async (tx) => {
        await tx.account.count()
        await until(() => server.seen.refused >= 5)
      },
      { timeout: 20_000 },
    )
    const other = client.$transaction(
      async (tx) => {
        await tx.account.count()
        await until(() => server.seen.refused >= 5)
      },
      { timeout: 20_000 },
    )
    await until(() => server.openConnections === 2)
    const opening = (async () => {
      for (;;) {
        const error = await openSample(url).catch((caught: unknown) => caught)
        if (server.seen.refused >= 5) return error
      }
    })()
    expect(await opening).toMatchObject({
      code: 'OUTGROW_POSTGRES_UNREACHABLE',
      message: expect.stringContaining('max clients are limited to pool_size') as string,
      why: expect.stringContaining('In session mode, clients are limited to the size of the pool.') as string,
    })
    await Promise.all([held, other])
  })

  test('a pooled host that refuses start-up parameters serves an application whose role is in UTC', async () => {
    const server = await start({ refusedParameters: ['options'] })
    const url = server.url('ep-test-1-pooler.eu-central-1.aws.neon.tech')
    await expect(openSample(url)).rejects.toMatchObject({
      code: 'OUTGROW_TIMEZONE',
      fix: expect.stringContaining('ALTER ROLE') as string,
    })
    const { client } = await open(server.url('ep-test-1-pooler.eu-central-1.aws.neon.tech', await utcRole()))
    expect(await client.account.count()).toBeGreaterThanOrEqual(0)
    expect(server.seen.parameters.some(({ options }) => options !== undefined)).toBe(true)
    expect(server.seen.parameters.at(-1)?.['options']).toBeUndefined()
  })

  /** A role that may little, whose sessions are in UTC. */
  async function utcRole(): Promise<{ user: string; password: string }> {
    const role = { user: `app_${Date.now()}`, password: 'x' }
    const owner = await openSample(made.url)
    await owner.client.$executeRawUnsafe(`CREATE ROLE ${role.user} LOGIN PASSWORD 'x'`)
    await owner.client.$executeRawUnsafe(`ALTER ROLE ${role.user} SET timezone = 'UTC'`)
    await owner.client.$executeRawUnsafe(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role.user}`)
    ending.push(async () => {
      await owner.client.$executeRawUnsafe(`DROP OWNED BY ${role.user}`)
      await owner.client.$executeRawUnsafe(`DROP ROLE ${role.user}`)
      await owner.close()
    })
    return role
  }

  test.skipIf(!hasOpenssl)(
    'every connection of the pool is encrypted, says which host it means, and checks who answers',
    async () => {
      const authority = new CertificateAuthority()
      const server = await start({
        certificate: authority.issue(neon),
        requiresTls: true,
        requiresServerName: true,
      })
      const verified = { sslmode: 'verify-full', sslrootcert: authority.root.certPath }
      const { client } = await open(server.url(neon, verified))
      await Promise.all(Array.from({ length: 4 }, () => client.account.count()))
      expect(new Set(server.seen.serverNames)).toEqual(new Set([neon]))
      expect(server.seen.serverNames.length).toBeGreaterThan(2)
      await expect(
        openSample(server.url('ep-other.eu-central-1.aws.neon.tech', verified)),
      ).rejects.toMatchObject({
        code: 'OUTGROW_POSTGRES_UNREACHABLE',
        message: expect.stringContaining('does not match') as string,
      })
      const other = new CertificateAuthority('Other').root.certPath
      await expect(openSample(server.url(neon, { ...verified, sslrootcert: other }))).rejects.toMatchObject({
        code: 'OUTGROW_POSTGRES_UNREACHABLE',
        why: expect.stringContaining('TLS is required') as string,
      })
      await expect(openSample(server.url(neon, { sslmode: 'disable' }))).rejects.toMatchObject({
        message: expect.stringContaining('insecure') as string,
      })
    },
  )
})
