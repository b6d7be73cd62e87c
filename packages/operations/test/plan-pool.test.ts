import * as fc from 'fast-check'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { expect, test } from 'vitest'
import { planPool } from '../src/pool/plan-pool.ts'
import { scramSecret } from '../src/pool/scram.ts'
import type { PoolRequest } from '../src/pool/pool-request.ts'

const request: PoolRequest = {
  cores: 2,
  processes: 3,
  connectionLimit: 10,
  poolTimeoutSeconds: 10,
  maxConnections: 100,
  superuserReserved: 3,
  databases: [{ name: 'app', connectionLimit: null }],
  roles: [{ name: 'app', connectionLimit: null, secret: undefined }],
  auth: 'query',
  server: { host: '127.0.0.1', port: 5432, sslmode: 'prefer', rootCertificate: undefined },
  listen: { host: '127.0.0.1', port: 6432 },
  folder: '/etc/pgbouncer',
}
const many = (count: number, connectionLimit: number | null = null) =>
  Array.from({ length: count }, (_, at) => ({ name: `n${at}`, connectionLimit, secret: undefined }))

test.each([
  ['two cores', {}, 5],
  ['many cores: the server’s connections, 80 - 3 - 5 - 1', { cores: 64 }, 71],
  ['many cores and a userlist, whose pooler asks for nothing', { cores: 64, auth: 'userlist' as const }, 72],
  ['twenty databases: (80 - 3 - 5 - 20) / 20', { databases: many(20) }, 2],
  ['a database with a limit: 9 - 1 for the role that asks - 5 for DIRECT_URL', { databases: many(1, 9) }, 3],
  ['a role with a limit, on eight cores: 10 - 5 for DIRECT_URL', { cores: 8, roles: many(1, 10) }, 5],
  ['a role with a limit, in two databases: (12 - 5) / 2', { roles: many(1, 12), databases: many(2) }, 3],
  ['a role whose limit has no room for DIRECT_URL', { roles: many(1, 3) }, 1],
])('the pool of %s', (_, changed, size) => {
  expect(planPool({ ...request, ...changed }).poolSize).toBe(size)
})

test('no plan takes more than the server has to give, and none is without a connection', () => {
  const seed = Number(process.env.OUTGROW_SEED ?? Date.now() % 1_000_000)
  fc.assert(
    fc.property(
      fc.record({
        cores: fc.integer({ min: 1, max: 256 }),
        processes: fc.integer({ min: 1, max: 500 }),
        connectionLimit: fc.integer({ min: 1, max: 100 }),
        maxConnections: fc.integer({ min: 1, max: 5000 }),
        databases: fc.integer({ min: 1, max: 30 }).map((count) => many(count)),
        roles: fc.integer({ min: 1, max: 10 }).map((count) => many(count)),
        auth: fc.constantFrom('query' as const, 'userlist' as const),
        poolTimeoutSeconds: fc.integer({ min: 1, max: 60 }),
      }),
      (changed) => {
        const asked = { ...request, ...changed }
        const { databases, roles, auth, maxConnections } = asked
        const room = Math.floor(0.8 * maxConnections) - 3 - 5
        // One connection for each pool, and for the role that asks one in each database.
        fc.pre(room >= databases.length * (roles.length + (auth === 'query' ? 1 : 0)))
        const plan = planPool(asked)
        const value = (name: string) => Number(plan.settings.find((one) => one.name === name)?.value)
        expect(plan.poolSize).toBeGreaterThan(0)
        expect(plan.poolSize).toBeLessThanOrEqual(2 * asked.cores + 1)
        expect(plan.serverConnections).toBeLessThanOrEqual(room)
        expect(value('max_db_connections') * databases.length).toBe(plan.serverConnections)
        expect(value('max_client_conn')).toBeGreaterThanOrEqual(asked.processes * asked.connectionLimit)
        expect(value('query_wait_timeout')).toBeLessThan(asked.poolTimeoutSeconds)
      },
    ),
    { seed, numRuns: Number(process.env.OUTGROW_PROPERTY_RUNS ?? 20) * 20 },
  )
})

test('where there is no room for one connection in each pool there is no plan', () => {
  // 80 % of 14 less 8 and 1 is 2, and less 8 and 2 is 1 for two pools.
  const plan = (databases: number) => planPool({ ...request, maxConnections: 14, databases: many(databases) })
  expect(plan(1).poolSize).toBe(2)
  expect(() => plan(2)).toThrow('There is no room for 2 pools')
  const limited = { ...request, databases: many(2), roles: many(1, 1) }
  expect(() => planPool(limited)).toThrow('the CONNECTION LIMIT 1 of role n0')
})

test('a secret proves its password, as RFC 5803 has it', () => {
  const secret = scramSecret('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'))
  const [, stored, server] = /^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$([^:]+):(.+)$/.exec(secret) ?? []
  const salted = pbkdf2Sync('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), 4096, 32, 'sha256')
  // RFC 7677's own example has the server's signature of these keys.
  const message =
    'n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  const signature = createHmac('sha256', Buffer.from(server ?? '', 'base64'))
    .update(message)
    .digest('base64')
  expect(signature).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  expect(stored).toBe(createHash('sha256').update(clientKey).digest('base64'))
})
