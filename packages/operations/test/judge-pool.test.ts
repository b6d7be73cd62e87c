import { hasPgbouncer, makePooledDatabase } from '@outgrow/testing/pooler'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { judgePool } from '../src/pool/check/judge.ts'
import type { PoolReadings } from '../src/pool/check/pool-readings.ts'
import { readPooler, withConsole, type PoolerReadings } from '../src/pool/check/pooler-readings.ts'
import { readServer } from '../src/pool/read-server.ts'

/** Readings of a real pooler and its server, of which each test changes one. */
describe.skipIf(!hasPgbouncer)('of a pooler as outgrow pool writes it, with one thing changed', () => {
  let good: PoolReadings
  let end: () => Promise<void>

  beforeAll(async () => {
    const pooled = await makePooledDatabase(inject('postgresUrl'))
    end = pooled.drop
    const pooler = await withConsole(pooled.adminUrl, readPooler)
    good = {
      pooler: { ...pooler, VERSION: [{ version: 'PgBouncer 1.25.2' }] },
      config: new Map(pooler.CONFIG?.map(({ key = '', value = '' }) => [key, value])),
      server: await readServer(pooled.directUrl),
      authQuery: [],
      timeZone: 'UTC',
      isPooledUrlPooled: true,
      isDirectUrlPooled: false,
      application: undefined,
      processes: 3,
      connectionLimit: 10,
      poolTimeoutSeconds: 10,
    }
  })
  afterAll(() => end())

  const codes = (changed: Partial<PoolReadings>) =>
    judgePool({ ...good, ...changed }).findings.map(({ code }) => code)
  const withRow = (view: keyof PoolerReadings, row: Record<string, string>) => ({
    pooler: { ...good.pooler, [view]: [...(good.pooler[view] ?? []), row] },
  })

  test('nothing is found, and nothing unknown', () => {
    expect(judgePool(good)).toEqual({ findings: [], unknown: [] })
  })

  test('roles and databases that are not pooled may have any limit', () => {
    const { server } = good
    if (!server) throw new Error('the server was not read')
    const roles = [...server.roles, { ...server.roles[0], name: 'reports', connectionLimit: 1 }]
    const databases = [...server.databases, { name: 'archive', connectionLimit: 1 }]
    expect(codes({ server: { ...server, roles, databases } as PoolReadings['server'] })).toEqual([])
  })

  test.each([
    ['OUTGROW_POOL_MODE', 'pool_mode', 'session'],
    ['OUTGROW_POOL_MODE', 'pool_mode', 'statement'],
    ['OUTGROW_POOL_OPTIONS_IGNORED', 'ignore_startup_parameters', 'extra_float_digits, options'],
    ['OUTGROW_POOL_OPTIONS_IGNORED', 'ignore_startup_parameters', 'TimeZone'],
    ['OUTGROW_POOL_CLIENTS', 'max_client_conn', '29'],
    ['OUTGROW_POOL_WAIT_TIMEOUT', 'query_wait_timeout', '10'],
    ['OUTGROW_POOL_WAIT_TIMEOUT', 'query_wait_timeout', '0'],
    ['OUTGROW_POOL_TIMEOUTS', 'server_lifetime', '0'],
    ['OUTGROW_POOL_TIMEOUTS', 'server_idle_timeout', '0'],
    ['OUTGROW_POOL_TIMEOUTS', 'idle_transaction_timeout', '0'],
    ['OUTGROW_POOL_TIMEOUTS', 'client_idle_timeout', '5'],
    ['OUTGROW_POOL_PREPARED', 'max_prepared_statements', '0'],
    ['OUTGROW_POOL_PREPARED', 'server_reset_query_always', '1'],
  ])('%s is found where %s is %s', (code, name, value) => {
    expect(codes({ config: new Map([...good.config, [name, value]]) })).toEqual([code])
  })

  test.each([
    ['ignore_startup_parameters', 'extra_float_digits'],
    ['max_client_conn', '30'],
    ['query_wait_timeout', '9.5'],
    ['max_prepared_statements', '200'],
  ])('nothing is found where %s is %s', (name, value) => {
    expect(codes({ config: new Map([...good.config, [name, value]]) })).toEqual([])
  })

  test.each([
    ['PgBouncer 1.18.0', true],
    ['PgBouncer 1.24.1', true],
    ['PgBouncer 1.25.1', true],
    ['PgBouncer 1.25.2', false],
    ['PgBouncer 1.26.0', false],
    ['PgBouncer 2.0', false],
  ])('of the version %s it is %s that it is too old', (version, isOld) => {
    const found = codes({ pooler: { ...good.pooler, VERSION: [{ version }] } })
    expect(found).toEqual(isOld ? ['OUTGROW_POOL_VERSION'] : [])
  })

  test.each([
    ['OUTGROW_POOL_MODE', 'USERS', { name: 'somebody', pool_mode: 'session' }],
    ['OUTGROW_POOL_WAITING', 'POOLS', { database: 'x', user: 'u', cl_waiting: '2', maxwait: '1' }],
    [
      'OUTGROW_POOL_WAITING',
      'STATS',
      { database: 'x', total_xact_count: '5000', avg_wait_time: '900000', avg_xact_count: '3' },
    ],
  ] as const)('%s is found with a row of SHOW %s', (code, view, row) => {
    expect(codes(withRow(view, row))).toEqual([code])
  })

  test('a database that takes more than the server permits is found, unless it is on another server', () => {
    const [first = {}] = good.pooler.DATABASES?.filter(({ name }) => name !== 'pgbouncer') ?? []
    const large = {
      ...first,
      name: 'large',
      pool_size: '500',
      max_connections: '0',
      force_user: 'x',
    } as Record<string, string>
    expect(codes(withRow('DATABASES', large))).toEqual(['OUTGROW_POOL_OVERSIZED'])
    const elsewhere = judgePool({ ...good, ...withRow('DATABASES', { ...large, host: '192.0.2.1' }) })
    expect([elsewhere.findings, elsewhere.unknown.length]).toEqual([[], 1])
  })

  test('pools that leave no connections for DIRECT_URL are found, by the server and by each CONNECTION LIMIT', () => {
    const server = good.server as NonNullable<PoolReadings['server']>
    const [database = ''] = (good.pooler.DATABASES ?? [])
      .map(({ name = '' }) => name)
      .filter((name) => name !== 'pgbouncer')
    // The pool of two cores: 5 connections, and 5 stay free.
    const limited = (kind: 'roles' | 'databases', connectionLimit: number) =>
      codes({
        server: {
          ...server,
          [kind]: server[kind].map((one) => (one.name === database ? { ...one, connectionLimit } : one)),
        },
      })
    for (const kind of ['roles', 'databases'] as const)
      expect([kind, limited(kind, 9), limited(kind, 10)]).toEqual([kind, ['OUTGROW_POOL_OVERSIZED'], []])
    const permitting = (most: number) =>
      codes({ server: { ...server, maxConnections: server.superuserReserved + most } })
    expect([permitting(9), permitting(10)]).toEqual([['OUTGROW_POOL_OVERSIZED'], []])
  })

  test.each([
    [{ timeZone: 'America/New_York' }, 'OUTGROW_POOL_TIMEZONE'],
    [{ isPooledUrlPooled: false }, 'OUTGROW_POOL_BYPASSED'],
    [{ isDirectUrlPooled: true }, 'OUTGROW_POOL_DIRECT_POOLED'],
  ])('of %j comes %s', (changed, code) => {
    expect(codes(changed)).toEqual([code])
  })

  test('what is not known is said to be unknown, one by one', () => {
    const none = judgePool({
      ...good,
      pooler: {},
      config: new Map(),
      server: undefined,
      timeZone: undefined,
      isPooledUrlPooled: undefined,
      isDirectUrlPooled: undefined,
      processes: undefined,
    })
    expect([none.findings, none.unknown.length]).toEqual([[], 8])
  })
})
