import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parsePostgresUrl } from '@outgrow/databases'
import { CertificateAuthority, hasOpenssl, ManagedPostgres, temporaryFolder } from '@outgrow/testing'
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { pooledServer } from '../src/pool/pooled-server.ts'
import { preparePool } from '../src/pool/prepare-pool.ts'

const home = temporaryFolder()
const root = join(home, 'root.pem')
writeFileSync(root, '-----BEGIN CERTIFICATE-----\n')
const system = '/etc/ssl/certs/ca-certificates.crt'

// Nothing of this machine's own is looked at.
beforeEach(() => {
  for (const name of ['PGSSLMODE', 'PGSSLROOTCERT', 'PGHOST', 'PGPORT']) vi.stubEnv(name, undefined)
  vi.stubEnv('HOME', home)
})
afterEach(() => vi.unstubAllEnvs())

test.each([
  ['', {}, 'prefer', undefined],
  ['?sslmode=disable', { PGSSLROOTCERT: root }, 'disable', undefined],
  ['?sslmode=require', {}, 'require', undefined],
  ['?sslmode=no-verify', {}, 'require', undefined],
  ['?sslmode=require', { PGSSLROOTCERT: root }, 'verify-ca', root],
  ['?sslrootcert=system', {}, 'verify-full', system],
  ['', { PGSSLROOTCERT: 'system' }, 'verify-full', system],
  ['?sslmode=verify-full', {}, 'verify-full', system],
  ['', { PGSSLMODE: 'verify-full', PGSSLROOTCERT: root }, 'verify-full', root],
  ['?sslmode=require', { PGSSLMODE: 'disable' }, 'require', undefined],
] as const)(
  'the pooler checks the server of the URL %j and the environment %j with %s',
  (query, env, ...as) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
    const { sslmode, rootCertificate } = pooledServer(
      parsePostgresUrl(`postgresql://app@db.test/app${query}`),
    )
    expect([sslmode, rootCertificate]).toEqual(as)
  },
)

test('the root certificate in the home folder is used as libpq uses it', () => {
  const own = temporaryFolder()
  vi.stubEnv('HOME', own)
  mkdirSync(join(own, '.postgresql'))
  const file = join(own, '.postgresql/root.crt')
  writeFileSync(file, '-----BEGIN CERTIFICATE-----\n')
  expect(pooledServer(parsePostgresUrl('postgresql://app@db.test/app?sslmode=require'))).toMatchObject({
    sslmode: 'verify-ca',
    rootCertificate: file,
  })
})

test('a host and a port that the URL does not name come from the environment; a socket has no TLS', () => {
  vi.stubEnv('PGHOST', 'db.internal')
  vi.stubEnv('PGPORT', '5544')
  expect(pooledServer(parsePostgresUrl('postgresql:///app'))).toMatchObject({
    host: 'db.internal',
    port: 5544,
  })
  vi.stubEnv('PGHOST', '/run/postgresql')
  vi.stubEnv('PGSSLMODE', 'verify-full')
  expect(pooledServer(parsePostgresUrl('postgresql:///app'))).toMatchObject({ sslmode: 'disable' })
})

test.skipIf(!hasOpenssl)(
  'a server that was verified is verified by the pooler, and that the pooler itself is not is said',
  async () => {
    const authority = new CertificateAuthority()
    const host = 'db.example.test'
    const server = await ManagedPostgres.start(inject('postgresUrl'), { certificate: authority.issue(host) })
    const prepare = async (listen: string) => {
      const { files, notes } = await preparePool({
        cores: 2,
        processes: 3,
        connectionLimit: undefined,
        maxConnections: undefined,
        auth: 'query',
        listen: { host: listen, port: 6432 },
        folder: '/etc/pgbouncer',
        databaseUrl: server.url(host),
        databases: [],
        roles: [],
      })
      const tls = files[0]?.text.match(/^server_tls_\w+ = .*$/gm)
      return { tls, isSaid: notes.some((note) => note.includes('and the pooler is not')) }
    }
    const checked = ['server_tls_sslmode = verify-full', `server_tls_ca_file = ${authority.root.certPath}`]
    vi.stubEnv('PGSSLMODE', 'verify-full')
    vi.stubEnv('PGSSLROOTCERT', authority.root.certPath)
    expect(await prepare('*')).toEqual({ tls: checked, isSaid: true })
    expect(await prepare('127.0.0.1')).toEqual({ tls: checked, isSaid: false })
    vi.stubEnv('PGSSLMODE', undefined)
    vi.stubEnv('PGSSLROOTCERT', undefined)
    expect(await prepare('*')).toEqual({ tls: ['server_tls_sslmode = prefer'], isSaid: false })
    await server.stop()
  },
)
