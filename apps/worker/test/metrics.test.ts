import { spawnSync } from 'node:child_process'
import { prismaStore } from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { answerMetrics } from '@outgrow/operations/monitoring'
import { makeProductDatabase } from '@outgrow/testing'
import { pino } from 'pino'
import { expect, inject, test } from 'vitest'
import { workerEnv } from '../src/env.ts'
import { workerMetrics } from '../src/metrics.ts'

async function scrape(provider: 'sqlite' | 'postgres', env: Record<string, string> = {}): Promise<string> {
  const { url, drop } = await makeProductDatabase(provider, inject('postgresUrl'))
  const database = await openDatabase(url)
  const { outcomes, ...metrics } = workerMetrics({
    env: workerEnv({ DATABASE_URL: url, SIGNS_DIR: '.', ...env }),
    database,
    store: prismaStore(database),
    log: pino({ level: 'silent' }),
  })
  outcomes.inc({ outcome: 'applied' }, 2)
  await database.client.rateLimit.create({ data: { key: 'waited for', count: 1, lastRequest: 0n } })
  await database.client.rateLimit
    .create({ data: { key: 'waited for', count: 1, lastRequest: 0n } })
    .catch(() => {})
  await database.client.$transaction(async (tx) => tx.rateLimit.count())
  await metrics.text()
  const { body } = await metrics.text()
  await database.close()
  await drop()
  return body
}

test.each(['sqlite', 'postgres'] as const)('the metrics on %s follow Prometheus’ rules', async (provider) => {
  const body = await scrape(provider)
  const types = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type]) => ({ name, type }))
  expect(types.length).toBeGreaterThan(10)
  for (const { name, type } of types) {
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter'])
    expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|mb|percent)(_|$)/)
  }
  expect(body).toMatch(/^outgrow_database_wait_seconds_count [1-9]/m)
  expect(body).toContain(`outgrow_database_info{provider="${provider}"} 1`)
  expect(body).toContain('outgrow_database_errors_total{code="P2002"} 1')
  expect(body).toContain('outgrow_collector_up{collector="database"} 1')
  expect(body).toContain(`outgrow_collector_up{collector="${provider}"} 1`)
  expect(body).not.toMatch(/^outgrow_collector_up\S* 0/m)
  // What was not measured is absent, never 0.
  expect(body.includes('\noutgrow_sqlite_file_bytes ')).toBe(provider === 'sqlite')
  expect(body.includes('\noutgrow_postgres_connections ')).toBe(provider === 'postgres')
  expect(body).not.toMatch(/^outgrow_(pooler|backup)\w* /m)
  // Prometheus' own checker, where it is installed; CI installs it.
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' })
  if (checked.error) return
  expect([checked.status, checked.stdout + checked.stderr]).toEqual([0, ''])
})

test('a pooler that is away is reported, and the rest is there', async () => {
  const body = await scrape('sqlite', {
    PGBOUNCER_ADMIN_URL: 'postgresql://stats:hidden@127.0.0.1:1/pgbouncer',
  })
  expect(body).toContain('outgrow_collector_up{collector="pooler"} 0')
  expect(body).toContain('outgrow_collector_up{collector="sqlite"} 1')
  expect(body).not.toContain('hidden')
})

test('with a token, whoever does not send it reads nothing', async () => {
  const metrics = { text: async () => ({ type: 'text/plain', body: 'outgrow_up 1' }) } as never
  const ask = (authorization?: string) =>
    answerMetrics(
      new Request('http://127.0.0.1/metrics', { headers: authorization ? { authorization } : {} }),
      metrics,
      'a-token-of-the-test',
    )
  for (const wrong of [undefined, 'Bearer', 'Bearer a-token-of-the-tes', 'Basic a-token-of-the-test']) {
    const answer = await ask(wrong)
    expect([wrong, answer.status, await answer.text()]).toEqual([
      wrong,
      401,
      expect.not.stringContaining('outgrow_up'),
    ])
  }
  expect(await (await ask('Bearer a-token-of-the-test')).text()).toBe('outgrow_up 1')
})
