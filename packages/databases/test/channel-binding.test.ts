import { chmodSync, chownSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  connectPostgres,
  emptyCounters,
  parsePostgresUrl,
  postgresAdapterFactory,
  startEmbeddedPostgres,
  TransactionScope,
  withPostgres,
  type EmbeddedPostgres,
} from '@outgrow/databases'
import { CertificateAuthority, hasOpenssl, ManagedPostgres, temporaryFolder, until } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

describe.skipIf(!hasOpenssl)('a server that has TLS itself', () => {
  const authority = hasOpenssl ? new CertificateAuthority() : undefined
  let server: EmbeddedPostgres

  const urlWith = (parameters: Record<string, string>) => {
    const url = new URL(server.url)
    url.searchParams.delete('sslmode')
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
    return url.href
  }

  beforeAll(async () => {
    server = await startEmbeddedPostgres({
      directory: join(temporaryFolder(), 'server'),
      settings: ['fsync=off'],
    })
    const { uid, gid } = statSync(server.dataDirectory)
    const { cert, key } = authority?.issue('127.0.0.1') ?? {}
    for (const [name, content] of Object.entries({
      'server.crt': cert,
      'server.key': key,
      'root.crt': authority?.root.cert,
    })) {
      const path = join(server.dataDirectory, name)
      writeFileSync(path, content ?? '')
      chmodSync(path, 0o600)
      if (process.getuid?.() === 0) chownSync(path, uid, gid)
    }
    const rules = join(server.dataDirectory, 'pg_hba.conf')
    const before = readFileSync(rules, 'utf8')
    writeFileSync(rules, `hostssl all bearer all cert\nhost all plainspoken all password\n${before}`)
    await withPostgres(server.url, async (client) => {
      await client.query("CREATE ROLE bearer LOGIN; CREATE ROLE plainspoken LOGIN PASSWORD 'in the clear'")
      await client.query('ALTER SYSTEM SET ssl = on')
      await client.query("ALTER SYSTEM SET ssl_ca_file = 'root.crt'")
      await client.query('SELECT pg_reload_conf()')
    })
    await until(() =>
      withPostgres(urlWith({ sslmode: 'require' }), () => Promise.resolve(true)).catch(() => false),
    )
  })

  afterAll(async () => {
    await server.stop('immediate')
    rmSync(dirname(server.dataDirectory), { recursive: true, force: true })
  })

  test('channel_binding=require logs in, by a password that is bound to the connection', async () => {
    const client = await connectPostgres(urlWith({ sslmode: 'require', channel_binding: 'require' }))
    const { rows } = await client.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
    expect(rows).toEqual([{ ssl: true }])
    await client.end()
  })

  test.each([
    ['without TLS', {}, { sslmode: 'disable' }],
    [
      'to a server that asks for the password itself',
      { username: 'plainspoken', password: 'in the clear' },
      {},
    ],
    ['to a server that asks for no password', { username: 'bearer' }, {}],
  ])('channel_binding=require refuses to log in %s', async (_, user, parameters) => {
    const url = Object.assign(
      new URL(urlWith({ sslmode: 'require', channel_binding: 'require', ...parameters })),
      user,
    )
    const { certPath, keyPath } = authority?.issue('bearer') ?? { certPath: '', keyPath: '' }
    url.searchParams.set('sslcert', certPath)
    url.searchParams.set('sslkey', keyPath)
    await expect(connectPostgres(url.href)).rejects.toMatchObject({
      code: 'OUTGROW_POSTGRES_UNREACHABLE',
      message: expect.stringContaining('does not bind the login to this connection') as string,
    })
  })

  test('the client’s pool binds each of its connections, and one to another server is refused', async () => {
    const pool = async (url: string) => {
      const options = { url: parsePostgresUrl(url), counters: emptyCounters(), scope: new TransactionScope() }
      return (await postgresAdapterFactory(options)).connect()
    }
    const adapter = await pool(urlWith({ sslmode: 'require', channel_binding: 'require' }))
    const ask = () => adapter.queryRaw({ sql: 'SELECT 1', args: [], argTypes: [] })
    const answers = await Promise.all([ask(), ask(), ask()])
    expect(answers.map(({ rows }) => rows)).toEqual([[[1]], [[1]], [[1]]])
    await adapter.dispose()
    await expect(pool(urlWith({ sslmode: 'disable', channel_binding: 'require' }))).rejects.toMatchObject({
      code: 'OUTGROW_POSTGRES_UNREACHABLE',
    })
  })

  test('channel_binding=require refuses what only stands between', async () => {
    const between = await ManagedPostgres.start(server.url, {
      certificate: (authority as CertificateAuthority).issue('db.example.test'),
    })
    const url = between.url('db.example.test', { sslmode: 'require' })
    await withPostgres(url, () => Promise.resolve())
    await expect(connectPostgres(`${url}&channel_binding=require`)).rejects.toMatchObject({
      message: expect.stringContaining('does not bind the login to this connection') as string,
    })
    await between.stop()
  })

  test('sslnegotiation=direct saves a round trip', async () => {
    const url = urlWith({
      sslmode: 'verify-full',
      sslrootcert: authority?.root.certPath ?? '',
      sslnegotiation: 'direct',
    })
    expect(await withPostgres(url, async (client) => (await client.query('SELECT 1 AS one')).rows)).toEqual([
      { one: 1 },
    ])
  })

  test('sslcert and sslkey log in where the server asks for a certificate', async () => {
    const { certPath, keyPath } = authority?.issue('bearer') ?? { certPath: '', keyPath: '' }
    const url = new URL(urlWith({ sslmode: 'require', sslcert: certPath, sslkey: keyPath }))
    Object.assign(url, { username: 'bearer', password: '' })
    const who = await withPostgres(
      url.href,
      async (client) => (await client.query('SELECT current_user AS who')).rows,
    )
    expect(who).toEqual([{ who: 'bearer' }])
  })
})
