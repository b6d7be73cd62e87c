import { withPlainPostgres, withPostgres } from '@outgrow/databases'
import {
  hasPgbouncer,
  makePooledDatabase,
  type PooledDatabase,
  type PoolerSettings,
} from '@outgrow/testing/pooler'
import { until } from '@outgrow/testing'
import { describe, expect, inject, test } from 'vitest'
import { checkPool, type CheckedPool, type CheckRequest } from '../src/index.ts'

/** Debian's is older than the one that is recommended. */
const alwaysThere = 'OUTGROW_POOL_VERSION'

async function check(pooled: PooledDatabase, asked: Partial<CheckRequest> = {}): Promise<CheckedPool> {
  const { adminUrl, url: pooledUrl, directUrl } = pooled
  return checkPool({ adminUrl, pooledUrl, directUrl, processes: 3, connectionLimit: undefined, ...asked })
}

const codesOf = ({ findings }: CheckedPool) =>
  findings.map(({ code }) => code).filter((code) => code !== alwaysThere)

async function withPooled(
  settings: PoolerSettings,
  use: (pooled: PooledDatabase) => Promise<void>,
): Promise<void> {
  const pooled = await makePooledDatabase(inject('postgresUrl'), settings)
  try {
    await use(pooled)
  } finally {
    await pooled.drop()
  }
}

describe.skipIf(!hasPgbouncer)('a running pgbouncer', () => {
  test('of outgrow pool has none of the traps', () =>
    withPooled({}, async (pooled) => {
      const checked = await check(pooled)
      expect(checked.unknown).toEqual([])
      expect(codesOf(checked)).toEqual([])
      expect(checked.version).toContain('PgBouncer')
    }))

  test('in which everything is wrong is found out in everything', () =>
    withPooled(
      {
        more: [
          'pool_mode = session',
          'ignore_startup_parameters = extra_float_digits, options',
          'default_pool_size = 500',
          'max_db_connections = 0',
          'max_client_conn = 29',
          'query_wait_timeout = 120',
          'server_lifetime = 0',
          'server_reset_query_always = 1',
          '',
        ].join('\n'),
      },
      async (pooled) => {
        expect(codesOf(await check(pooled)).toSorted()).toEqual([
          'OUTGROW_POOL_CLIENTS',
          'OUTGROW_POOL_MODE',
          'OUTGROW_POOL_OPTIONS_IGNORED',
          'OUTGROW_POOL_OVERSIZED',
          'OUTGROW_POOL_PREPARED',
          'OUTGROW_POOL_TIMEOUTS',
          'OUTGROW_POOL_WAIT_TIMEOUT',
        ])
      },
    ))

  test('whose database has a mode of its own is found out', () =>
    withPooled(
      { name: 'pooled_modes', more: '[databases]\nother = host=127.0.0.1 port=1 pool_mode=session\n' },
      async (pooled) => {
        const { findings } = await check(pooled)
        expect(findings.find(({ code }) => code === 'OUTGROW_POOL_MODE')?.fact).toContain('other')
      },
    ))

  test('whose sessions are in another zone is found out, as long as they are', () =>
    withPooled({}, async (pooled) => {
      const role = new URL(pooled.url).username
      await withPostgres(inject('postgresUrl'), (client) =>
        client.query(`ALTER ROLE "${role}" SET timezone = 'Asia/Kathmandu'`),
      )
      const { findings } = await check(pooled)
      expect(findings.find(({ code }) => code === 'OUTGROW_POOL_TIMEZONE')?.fact).toContain('Asia/Kathmandu')
    }))

  test('that is past by is found out, and a direct URL that is not', () =>
    withPooled({}, async (pooled) => {
      expect(codesOf(await check(pooled, { pooledUrl: pooled.directUrl }))).toContain('OUTGROW_POOL_BYPASSED')
      const swapped = await check(pooled, { directUrl: pooled.url })
      expect(codesOf(swapped)).toEqual(['OUTGROW_POOL_DIRECT_POOLED'])
      expect(swapped.unknown.join()).toContain('max_connections')
    }))

  test('whose direct URL leads through another pooler is found out', () =>
    withPooled({}, async (pooled) => {
      await withPooled({}, async (other) => {
        expect(codesOf(await check(pooled, { directUrl: other.url }))).toEqual(['OUTGROW_POOL_DIRECT_POOLED'])
      })
    }))

  test('in which clients wait says who, and for how long', () =>
    withPooled({ more: 'default_pool_size = 1\nmax_db_connections = 1\n' }, async (pooled) => {
      await withPlainPostgres(pooled.url, async (holder) => {
        await holder.query('BEGIN')
        await withPlainPostgres(pooled.url, async (waiter) => {
          const waiting = waiter.query('SELECT 1')
          await until(async () =>
            codesOf(await check(pooled, { pooledUrl: undefined })).includes('OUTGROW_POOL_WAITING'),
          )
          const { findings } = await check(pooled, { pooledUrl: undefined })
          expect(findings.find(({ code }) => code === 'OUTGROW_POOL_WAITING')?.fact).toContain('1 clients of')
          await holder.query('COMMIT')
          await waiting
        })
      })
    }))

  test('whose users are limited to fewer connections than their pool has is found out', () =>
    withPooled({}, async (pooled) => {
      const role = new URL(pooled.url).username
      await withPostgres(inject('postgresUrl'), (client) =>
        client.query(`ALTER ROLE "${role}" CONNECTION LIMIT 2`),
      )
      const { findings } = await check(pooled)
      expect(findings.find(({ code }) => code === 'OUTGROW_POOL_OVERSIZED')?.fact).toContain('limited to 2')
    }))

  test('whose console does not let somebody in is not called fine', () =>
    withPooled({}, async (pooled) => {
      const own = new URL(pooled.url)
      own.pathname = '/pgbouncer'
      const checking = check(pooled, { adminUrl: own.href })
      await expect(checking).rejects.toMatchObject({ code: 'OUTGROW_POSTGRES_UNREACHABLE' })
      const error: unknown = await checking.catch((caught: unknown) => caught)
      expect(JSON.stringify(error) + String(error)).not.toContain(own.password)
    }))

  test('is not taken for one where it is a Postgres', () =>
    withPooled({}, async (pooled) => {
      await expect(check(pooled, { adminUrl: pooled.directUrl })).rejects.toMatchObject({
        code: 'OUTGROW_POOL_CONSOLE',
      })
    }))

  test('without URLs and processes says what it did not measure', () =>
    withPooled({}, async (pooled) => {
      const { unknown } = await check(pooled, {
        pooledUrl: undefined,
        directUrl: undefined,
        processes: undefined,
      })
      const text = unknown.join('\n')
      for (const word of ['max_connections', 'time zone', 'DATABASE_URL', 'DIRECT_URL', '--processes'])
        expect(text).toContain(word)
    }))
})
