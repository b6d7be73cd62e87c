import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectPostgres, providerOf, providers, type PostgresClient } from '@outgrow/databases'
import { CertificateAuthority, hasOpenssl, ManagedPostgres, temporaryFolder } from '@outgrow/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest'

/** Whether a connection is encrypted, as its own socket says; or the code of the failure and its words. */
async function attempt(url: string): Promise<string> {
  let client: PostgresClient
  try {
    client = await connectPostgres(url)
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    return `${code}: ${message}`
  }
  const { stream } = client.connection as unknown as { stream: { encrypted?: boolean } }
  await client.end()
  return stream.encrypted === true ? 'encrypted' : 'plain'
}

describe.skipIf(!hasOpenssl)('sslmode as libpq has it, with certificates of openssl', () => {
  const host = 'db.example.test'
  let authority: CertificateAuthority
  let servers: Record<'good' | 'wrongName' | 'strict' | 'without', ManagedPostgres>
  let roots: Record<'own' | 'other', string>

  beforeAll(async () => {
    authority = new CertificateAuthority()
    const certificate = authority.issue(host, '127.0.0.1')
    const upstream = inject('postgresUrl')
    servers = {
      good: await ManagedPostgres.start(upstream, { certificate }),
      wrongName: await ManagedPostgres.start(upstream, {
        certificate: authority.issue('other.example.test'),
      }),
      strict: await ManagedPostgres.start(upstream, {
        certificate,
        requiresTls: true,
        requiresServerName: true,
      }),
      without: await ManagedPostgres.start(upstream),
    }
    roots = { own: authority.root.certPath, other: new CertificateAuthority('Other').root.certPath }
  })

  // Nothing of this machine's own is looked at.
  beforeEach(() => void vi.stubEnv('HOME', temporaryFolder()))
  afterEach(() => vi.unstubAllEnvs())
  afterAll(() => Promise.all(Object.values(servers).map((server) => server.stop())))

  const refused = 'OUTGROW_POSTGRES_UNREACHABLE'
  const invalid = 'OUTGROW_URL_INVALID'
  test.each([
    // mode, root certificate, against: a trusted server, one of another name, one that wants TLS and a name, one without TLS
    ['disable', undefined, 'plain', 'plain', refused, 'plain'],
    ['allow', undefined, 'plain', 'plain', 'encrypted', 'plain'],
    [undefined, undefined, 'encrypted', 'encrypted', 'encrypted', 'plain'],
    ['prefer', undefined, 'encrypted', 'encrypted', 'encrypted', 'plain'],
    ['prefer', 'other', 'plain', 'plain', refused, 'plain'],
    ['require', undefined, 'encrypted', 'encrypted', 'encrypted', refused],
    ['require', 'own', 'encrypted', 'encrypted', 'encrypted', refused],
    ['require', 'other', refused, refused, refused, refused],
    ['verify-ca', 'own', 'encrypted', 'encrypted', 'encrypted', refused],
    ['verify-ca', 'other', refused, refused, refused, refused],
    ['verify-ca', undefined, invalid, invalid, invalid, invalid],
    ['verify-full', 'own', 'encrypted', refused, 'encrypted', refused],
    ['verify-full', 'other', refused, refused, refused, refused],
    ['verify-full', undefined, refused, refused, refused, refused],
    [undefined, 'system', refused, refused, refused, refused],
    ['verify-full', 'system', refused, refused, refused, refused],
  ] as const)('sslmode=%s with the root %s', async (mode, root, ...expected) => {
    const sslrootcert = root === undefined || root === 'system' ? root : roots[root]
    const parameters = { ...(mode && { sslmode: mode }), ...(sslrootcert && { sslrootcert }) }
    const seen = []
    for (const name of ['good', 'wrongName', 'strict', 'without'] as const)
      seen.push(await attempt(servers[name].url(host, parameters)))
    expect(seen.map((one) => (one.startsWith('OUTGROW') ? one.split(':')[0] : one))).toEqual(expected)
  })

  test('the system’s roots are never used for less than verify-full', async () => {
    for (const sslmode of ['require', 'verify-ca', 'prefer', 'allow'])
      expect(await attempt(servers.good.url(host, { sslmode, sslrootcert: 'system' }))).toMatch(
        /OUTGROW_URL_INVALID: sslmode=.* cannot be used with sslrootcert=system/,
      )
  })

  test.each([
    ['verify-full', 'sslrootcert', /^OUTGROW_POSTGRES_UNREACHABLE/],
    ['verify-ca', 'sslrootcert', /^OUTGROW_POSTGRES_UNREACHABLE/],
    ['require', 'sslcert', /^OUTGROW_URL_INVALID: The certificate or the key/],
    ['require', 'sslkey', /^OUTGROW_URL_INVALID: The certificate or the key/],
  ])('with sslmode=%s a broken %s fails, without a secret', async (sslmode, name, code) => {
    const broken = join(temporaryFolder(), 'broken.pem')
    writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n')
    const said = await attempt(servers.good.url(host, { sslmode, password: 'topsecret', [name]: broken }))
    expect(said).toMatch(code)
    expect(said).not.toContain('topsecret')
  })

  test('an IP address is compared with the addresses of the certificate, and sends no name', async () => {
    const { seen } = servers.good
    const parameters = { sslmode: 'verify-full', sslrootcert: roots.own }
    const before = seen.serverNames.length
    expect(await attempt(servers.good.url('127.0.0.1', parameters))).toBe('encrypted')
    expect(seen.serverNames.slice(before)).toEqual([undefined])
    expect(await attempt(servers.wrongName.url('127.0.0.1', parameters))).toMatch(
      /IP: 127\.0\.0\.1 is not in the cert/,
    )
  })

  test('the name of the host is sent, whatever the address is', async () => {
    const before = servers.strict.seen.serverNames.length
    expect(await attempt(servers.strict.url(host, { sslmode: 'require' }))).toBe('encrypted')
    expect(servers.strict.seen.serverNames.slice(before)).toEqual([host])
  })

  const direct = providers
    .flatMap(({ examples }) =>
      examples.map(({ url, endpoint }) => ({ host: new URL(url).hostname, endpoint })),
    )
    .filter(({ host, endpoint: { pool } }) => host !== 'localhost' && pool !== 'transaction')
  test.each(direct)('$host is reached by its name, and verified', async ({ host: name }) => {
    const server = await ManagedPostgres.start(inject('postgresUrl'), {
      certificate: authority.issue(name),
      requiresTls: true,
      requiresServerName: true,
    })
    server.sleeps = providerOf(server.url(name))?.provider.sleeps ? 1 : 0
    expect(await attempt(server.url(name, { sslmode: 'verify-full', sslrootcert: roots.own }))).toBe(
      'encrypted',
    )
    expect(server.seen.serverNames).toEqual([name])
    await server.stop()
  })

  test('mode and root are taken from the environment, and the URL wins', async () => {
    vi.stubEnv('PGSSLMODE', 'verify-full')
    vi.stubEnv('PGSSLROOTCERT', roots.own)
    expect(await attempt(servers.good.url(host))).toBe('encrypted')
    expect(await attempt(servers.wrongName.url(host))).toContain(refused)
    expect(await attempt(servers.wrongName.url(host, { sslmode: 'require' }))).toBe('encrypted')
    expect(await attempt(servers.without.url(host, { sslmode: 'disable' }))).toBe('plain')
  })

  test('a root.crt in the home folder makes require check, as libpq does', async () => {
    const home = temporaryFolder()
    vi.stubEnv('HOME', home)
    mkdirSync(join(home, '.postgresql'))
    writeFileSync(join(home, '.postgresql/root.crt'), new CertificateAuthority('Home').root.cert)
    expect(await attempt(servers.good.url(host, { sslmode: 'require' }))).toContain(refused)
    writeFileSync(join(home, '.postgresql/root.crt'), authority.root.cert)
    expect(await attempt(servers.good.url(host, { sslmode: 'require' }))).toBe('encrypted')
    expect(await attempt(servers.wrongName.url(host, { sslmode: 'verify-full' }))).toContain(refused)
  })

  test.each([
    [{ sslmode: 'verify-all' }, /sslmode=verify-all is not a valid mode/],
    [{ hostaddr: 'db.example.test' }, /hostaddr=db.example.test is not an IP address/],
    [{ channel_binding: 'yes' }, /channel_binding=yes is not valid/],
    [{ sslmode: 'require', sslcert: '/nowhere.crt' }, /sslcert=\/nowhere.crt cannot be read/],
    [
      { sslmode: 'verify-full', sslrootcert: join(import.meta.dirname, '../package.json') },
      /sslrootcert=.* contains no certificate/,
    ],
  ])('%j is refused before anything is connected', async (parameters, message) => {
    const before = servers.good.seen.connections
    expect(await attempt(servers.good.url(host, parameters))).toMatch(message)
    expect(servers.good.seen.connections).toBe(before)
  })
})
