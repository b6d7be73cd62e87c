import { withPlainPostgres, withPostgres } from '@outgrow/databases'
import { hasPgbouncer, makePooledDatabase, type PooledDatabase } from '@outgrow/testing/pooler'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { checkPool, readPooler, withConsole } from '../src/index.ts'

const name = `Pooled-${process.pid}.app`
/** A second database that is pooled. */
const other = `${name}.other`
/** Whatever a role is called, it is a name: in SQL, in userlist.txt, for psql, in a URL. */
const role = `it's a "team" = [x]; \\pooled%${process.pid}`

const onServer = (sql: string) => withPostgres(inject('postgresUrl'), (client) => client.query(sql))

describe.skipIf(!hasPgbouncer)('a pooler that asks for passwords', () => {
  let pooled: PooledDatabase

  beforeAll(async () => {
    await onServer(`CREATE DATABASE "${other}" TEMPLATE template0`)
    pooled = await makePooledDatabase(inject('postgresUrl'), {
      name,
      role,
      databases: [name, other],
      auth: 'query',
    })
  })
  afterAll(async () => {
    await pooled.drop()
    await onServer(`DROP DATABASE "${other}" WITH (FORCE)`)
    await onServer('DROP ROLE outgrow_pooler')
  })

  const who = async (url: string) =>
    withPlainPostgres(url, async (client) => {
      const { rows } = await client.query<{ role: string; database: string; zone: string }>(
        "SELECT current_user AS role, current_database() AS database, current_setting('timezone') AS zone",
      )
      return rows[0]
    })

  test('lets the role in, in UTC, and nobody with another password', async () => {
    expect(await who(pooled.url)).toEqual({ role, database: name, zone: 'UTC' })
    const second = new URL(pooled.url)
    second.pathname = other
    expect(await who(second.href)).toEqual({ role, database: other, zone: 'UTC' })
    const wrong = new URL(pooled.url)
    wrong.password = 'wrong'
    await expect(who(wrong.href)).rejects.toMatchObject({ code: 'OUTGROW_POSTGRES_UNREACHABLE' })
  })

  test('lets nobody in who is not pooled, a superuser least of all', async () => {
    const superuser = new URL(inject('postgresUrl'))
    const url = new URL(pooled.url)
    ;[url.username, url.password] = [superuser.username, superuser.password]
    await expect(who(url.href)).rejects.toMatchObject({ code: 'OUTGROW_POSTGRES_UNREACHABLE' })
  })

  test('asks with a role that may do nothing else', async () => {
    const [line = ''] =
      pooled.prepared.files.find((file) => file.name === 'userlist.txt')?.text.split('\n') ?? []
    const [, password = ''] = /^"outgrow_pooler" "([^"]+)"$/.exec(line) ?? []
    const asker = new URL(pooled.directUrl)
    ;[asker.username, asker.password] = ['outgrow_pooler', password]
    await withPlainPostgres(asker.href, async (client) => {
      const secretOf = async (role: string) =>
        (await client.query('SELECT * FROM outgrow_pool.secret_of($1)', [role])).rows
      expect(await secretOf(role)).toMatchObject([
        { username: role, secret: expect.stringMatching(/^SCRAM/) as string },
      ])
      expect(await secretOf('postgres')).toEqual([])
      await expect(client.query('SELECT rolpassword FROM pg_authid')).rejects.toThrow('permission denied')
    })
    await withPlainPostgres(pooled.directUrl, (client) =>
      expect(client.query('SELECT * FROM outgrow_pool.secret_of($1)', [role])).rejects.toThrow(
        'permission denied',
      ),
    )
  })

  test('takes no more server connections for that than there are databases, however many log in', async () => {
    const second = new URL(pooled.url)
    second.pathname = other
    await Promise.all(Array.from({ length: 40 }, (_, at) => who(at % 2 === 0 ? pooled.url : second.href)))
    const taken = await withPostgres(inject('postgresUrl'), async (client) => {
      const { rows } = await client.query<{ role: string; database: string; count: number }>(
        `SELECT usename AS role, datname AS database, count(*)::int FROM pg_stat_activity
          WHERE datname IN ($1, $2) GROUP BY 1, 2`,
        [name, other],
      )
      return rows
    })
    const sum = (rows: typeof taken) => rows.reduce((total, { count }) => total + count, 0)
    const { plan } = pooled.prepared
    const asking = sum(taken.filter((one) => one.role === 'outgrow_pooler'))
    expect([asking > 0, asking <= 2]).toEqual([true, true])
    expect(sum(taken)).toBeLessThanOrEqual(plan.serverConnections)
    for (const database of [name, other])
      expect(sum(taken.filter((one) => one.database === database))).toBeLessThanOrEqual(plan.poolSize + 1)
  })

  test('has none of the traps; without its function in a database it has one', async () => {
    const check = async () =>
      checkPool({
        adminUrl: pooled.adminUrl,
        pooledUrl: pooled.url,
        directUrl: pooled.directUrl,
        processes: 3,
        connectionLimit: undefined,
      })
    const codes = ({ findings }: Awaited<ReturnType<typeof check>>) =>
      findings.map(({ code }) => code).filter((code) => code !== 'OUTGROW_POOL_VERSION')
    const fine = await check()
    expect([codes(fine), fine.unknown]).toEqual([[], []])
    const url = new URL(inject('postgresUrl'))
    url.pathname = encodeURIComponent(name)
    const run = (sql: string) => withPostgres(url.href, (client) => client.query(sql))
    await run('REVOKE EXECUTE ON FUNCTION outgrow_pool.secret_of(text) FROM outgrow_pooler')
    const denied = await check()
    expect(codes(denied)).toEqual(['OUTGROW_POOL_AUTH_QUERY'])
    expect(denied.findings.map(({ fact }) => fact).join()).toContain(`may not run auth_query in ${name}`)
    await run('DROP SCHEMA outgrow_pool CASCADE')
    const missing = await check()
    expect(codes(missing)).toEqual(['OUTGROW_POOL_AUTH_QUERY'])
    expect(missing.findings.map(({ fact }) => fact).join()).toContain(`cannot run in ${name}`)
  })

  test('whose own pool was not counted is found out', async () => {
    const large = await makePooledDatabase(inject('postgresUrl'), {
      auth: 'query',
      more: 'default_pool_size = 150\nmax_db_connections = 0\n',
    })
    const { findings } = await checkPool({
      adminUrl: large.adminUrl,
      pooledUrl: large.url,
      directUrl: large.directUrl,
      processes: 3,
      connectionLimit: undefined,
    })
    await large.drop()
    expect(findings.map(({ code }) => code)).toContain('OUTGROW_POOL_AUTH_UNCOUNTED')
  })

  test('shows its numbers to its own user, who may change nothing', async () => {
    await withConsole(pooled.adminUrl, async (show) => {
      expect(Object.keys(await readPooler(show))).toContain('POOLS')
    })
    await withPlainPostgres(pooled.adminUrl, (client) =>
      expect(client.query('SHUTDOWN')).rejects.toThrow('admin access needed'),
    )
  })
})
