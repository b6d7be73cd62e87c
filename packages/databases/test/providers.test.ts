import {
  connectPostgres,
  directUrlOf,
  notesFor,
  otherHosts,
  pooledUrlOf,
  providerOf,
  providers,
  requireDirect,
} from '@outgrow/databases'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { isPrivate } from '../src/address.ts'
import { explainUnreachable } from '../src/providers/explain-unreachable.ts'
import { parsePostgresUrl } from '../src/url.ts'

afterEach(() => vi.unstubAllEnvs())

const examples = providers.flatMap((provider) =>
  provider.examples.map((example) => ({ provider, ...example })),
)

describe('each provider', () => {
  test.each(examples)('$url is known by its host', ({ provider, url, endpoint }) => {
    expect(providerOf(url)).toMatchObject({ provider: { name: provider.name }, endpoint })
    expect(providerOf(url)?.endpoint).toEqual(endpoint)
  })

  const keeping = examples.filter(({ endpoint: { pool } }) => pool === 'none' || pool === 'session')
  const pooling = examples.filter(({ endpoint: { pool } }) => pool === 'transaction')

  test.each(keeping)('$url is direct, and leads to its pooled host', ({ url, pooled }) => {
    expect([directUrlOf(url), pooledUrlOf(url)]).toEqual([url, pooled ?? pooledUrlOf(url)])
    expect(pooled === undefined ? url : directUrlOf(pooled)).toBe(url)
  })

  test.each(pooling)('$url is pooled, and leads to its direct host', ({ url, direct }) => {
    expect([directUrlOf(url), pooledUrlOf(url)]).toEqual([direct, url])
    expect(direct === undefined ? undefined : directUrlOf(direct)).toBe(direct)
  })

  const served = pooling.filter(({ provider }) => !provider.unsupported)
  test.each(served)('$url is refused where sessions have to last', ({ provider, url, direct }) => {
    const instead = direct === undefined ? (provider.whereDirect as string) : new URL(direct).hostname
    expect(() => requireDirect(url, 'move')).toThrow(
      expect.objectContaining({
        code: 'OUTGROW_TARGET_POOLED',
        message: expect.stringContaining(`is ${provider.title}’s pooled host`) as string,
        fix: expect.stringContaining(instead) as string,
      }),
    )
  })

  test.each(examples.filter(({ provider }) => provider.unsupported))(
    '$url is refused with the reason',
    ({ provider, url }) => {
      expect(() => requireDirect(url, 'migrations')).toThrow(
        expect.objectContaining({
          code: 'OUTGROW_PROVIDER_UNSUPPORTED',
          why: expect.stringContaining(provider.unsupported?.text ?? '') as string,
        }),
      )
    },
  )

  const others = examples.filter((one) => !served.includes(one) && !one.provider.unsupported)
  test.each(others)('$url is not refused', ({ url }) => {
    expect(requireDirect(url, 'move')).toBeUndefined()
  })

  test.each(providers.map((provider) => [provider.name, provider] as const))(
    '%s gives a source for every fact',
    (_, provider) => {
      const {
        hosts,
        tls,
        pooling: pools,
        network,
        role,
        limits,
        backups,
        sleeps,
        free,
        unsupported,
      } = provider
      const facts = [
        hosts,
        tls,
        pools,
        network,
        role,
        limits,
        backups,
        sleeps,
        free?.fact,
        unsupported,
      ].filter((fact) => fact !== undefined)
      expect(facts.map(({ source }) => new URL(source).protocol)).toEqual(facts.map(() => 'https:'))
      const isPrivate = provider.examples.some(({ endpoint }) => endpoint.isPrivate === true)
      expect([provider.wherePublic !== undefined, isPrivate]).toEqual([isPrivate, isPrivate])
      const isUnclear = provider.examples.some(
        ({ endpoint: { pool }, direct }) => pool === 'transaction' && direct === undefined,
      )
      expect(provider.whereDirect !== undefined || !isUnclear).toBe(true)
    },
  )
})

test.each([
  'postgresql://u:x@localhost/app',
  'postgresql://u:x@10.0.0.1:6432/app',
  'postgresql://u:x@[2001:db8::1]/app',
  'postgresql://u:x@neon.tech.example.com/app',
  'postgresql://u:x@notneon.tech/app',
  'postgresql://u:x@evil-pooler.supabase.com.example.org:6543/app',
  'postgresql://u:x@supabase.co/app',
  'postgresql://u:x@dpg.example.com/app',
  'postgresql:///app?host=/var/run/postgresql',
])('%s is nobody’s', (url) => {
  expect([
    providerOf(url),
    directUrlOf(url),
    pooledUrlOf(url),
    notesFor(url, 'doctor'),
    otherHosts(url),
  ]).toEqual([undefined, undefined, undefined, [], []])
  requireDirect(url, 'move')
})

test.each([
  ['postgresql://u:x@EP-A-POOLER.eu.aws.NEON.tech/app', 'neon'],
  ['postgresql://u:x@ep-a-pooler.eu.aws.neon.tech./app', 'neon'],
  ['postgresql:///app?user=u&host=ep-a-pooler.eu.aws.neon.tech', 'neon'],
  ['postgresql://u:x@app.postgres.database.azure.com/app?port=6432', 'azure'],
])('%s is recognized all the same', (url, name) => {
  expect(providerOf(url)).toMatchObject({ provider: { name }, endpoint: { pool: 'transaction' } })
  expect(providerOf(directUrlOf(url) ?? '')?.endpoint).toEqual({ pool: 'none' })
})

test('the host of the environment is the URL’s where it has none', () => {
  vi.stubEnv('PGHOST', 'ep-a-pooler.eu.aws.neon.tech')
  expect(providerOf('postgresql:///app')?.provider.name).toBe('neon')
  expect(new URL(directUrlOf('postgresql:///app') ?? '').hostname).toBe('ep-a.eu.aws.neon.tech')
})

test('what stays of a URL stays as it is: user, password, database, parameters; not the address of the other host', () => {
  const url =
    'postgresql://us%40er:p%2Fw%25@ep-a-pooler.eu.aws.neon.tech:5432/d%20b?sslmode=verify-full&hostaddr=127.0.0.1&schema=x'
  expect(directUrlOf(url)).toBe(
    'postgresql://us%40er:p%2Fw%25@ep-a.eu.aws.neon.tech:5432/d%20b?sslmode=verify-full&schema=x',
  )
})

test('no text about a provider has anything of the URL but its host', () => {
  const secret = 'topsecret'
  for (const { url } of examples) {
    const named = Object.assign(new URL(url), { username: 'someone', password: secret }).href
    const texts = [...notesFor(named, 'doctor'), ...notesFor(named, 'pool'), ...otherHosts(named)]
    try {
      requireDirect(named, 'move')
    } catch (error) {
      texts.push(JSON.stringify(error) + String(error))
    }
    expect(JSON.stringify(texts)).not.toContain(secret)
    expect(JSON.stringify(texts)).not.toContain('someone')
  }
})

describe('a connection that fails is explained', () => {
  const explain = (url: string, code: string, message = code) =>
    explainUnreachable(parsePostgresUrl(url), Object.assign(new Error(message), { code }))

  test.each([
    [
      'an internal host from outside',
      'postgresql://u@postgres.railway.internal/app',
      'ENOTFOUND',
      /DATABASE_PUBLIC_URL/,
    ],
    ['a private host from outside', 'postgresql://u@direct.abc.flympg.net/app', 'ENOTFOUND', /fly mpg proxy/],
    ['an IPv6 host without IPv6', 'postgresql://u@db.abc.supabase.co/app', 'ENETUNREACH', /Session pooler/],
    [
      'a name that has no IPv4 address',
      'postgresql://u@db.abc.supabase.co/app',
      'ENOTFOUND',
      /Session pooler/,
    ],
    [
      'an unknown certificate',
      'postgresql://u@a.b.eu-west-1.rds.amazonaws.com/app',
      'SELF_SIGNED_CERT_IN_CHAIN',
      /sslrootcert=<file>/,
    ],
  ])('%s', (_, url, code, fix) => {
    expect(explain(url, code)?.fix).toMatch(fix)
  })

  test('a limit is named, with what the provider says of it', () => {
    const url = 'postgresql://postgres.abc@aws-0-eu-west-1.pooler.supabase.com:5432/postgres'
    const message =
      'MaxClientsInSessionMode: max clients reached - in Session mode max clients are limited to pool_size'
    expect(explain(url, 'XX000', message)?.why).toContain(
      'In session mode, clients are limited to the size of the pool.',
    )
    expect(explain('postgresql://u@db.prisma.io/app', '53300')?.why).toContain(
      '10 direct connections on the free plan',
    )
  })

  test.each([
    ['a wrong password', 'postgresql://u@ep-a.eu.aws.neon.tech/app', '28P01'],
    ['a server of one’s own', 'postgresql://u@db.example.com/app', 'ENOTFOUND'],
    ['a public host that is away', 'postgresql://u@ep-a.eu.aws.neon.tech/app', 'ENOTFOUND'],
  ])('%s needs no explanation', (_, url, code) => {
    expect(explain(url, code)).toBeUndefined()
  })
})

test('a file too large for the free plan is said to be, and one that nearly is', () => {
  const neon = 'postgresql://u@ep-a.eu.aws.neon.tech/app'
  expect(notesFor(neon, 'migrate', 1e6)).toEqual([])
  for (const size of [0.45e9, 2e9])
    expect(notesFor(neon, 'migrate', size)[0]?.text).toContain('The free plan holds 0.5 GB')
  expect(notesFor('postgresql://u@a.oregon-postgres.render.com/app', 'migrate', 2e9)[0]?.text).toContain(
    '(not confirmed by its documentation)',
  )
})

test.each([
  ['postgres', true],
  ['db.internal', true],
  ['10.1.2.3', true],
  ['172.32.0.1', false],
  ['192.168.1.1', true],
  ['fd00::1', true],
  ['2001:db8::1', false],
  ['db.example.com', false],
  ['8.8.8.8', false],
])('the host %s is private: %s', (host, expected) => expect(isPrivate(host)).toBe(expected))

test.each([
  ['postgresql://u@h/d?port=abc', /abc is not a port/],
  ['postgresql://u@h:0/d', /0 is not a port/],
  ['postgresql://u@ep-a.eu.aws.neon.tech/d?connect_timeout=soon', /connect_timeout=soon is not a number/],
  ['postgresql://u@ep-a.eu.aws.neon.tech/d?connect_timeout=-1', /connect_timeout=-1 is not a number/],
])('%s is refused', async (url, message) => {
  await expect(connectPostgres(url)).rejects.toMatchObject({
    code: 'OUTGROW_URL_INVALID',
    message: expect.stringMatching(message) as string,
  })
})
