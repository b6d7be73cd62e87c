import { spawnSync } from 'node:child_process'
import { prismaStore } from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { makeProductDatabase } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { createMetrics } from '../src/metrics.ts'

test('the metrics follow Prometheus’ rules: base units, and _total for what only grows', async () => {
  const { url, drop } = await makeProductDatabase('sqlite', inject('postgresUrl'))
  const database = await openDatabase(url)
  const metrics = createMetrics(database, prismaStore(database))
  metrics.outcomes.inc({ outcome: 'applied' }, 2)
  await database.client.rateLimit.create({ data: { key: 'waited for', count: 1, lastRequest: 0n } })
  await metrics.text()
  const { body } = await metrics.text()
  await database.close()
  await drop()
  const types = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type]) => ({ name, type }))
  expect(types.length).toBeGreaterThan(10)
  for (const { name, type } of types) {
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter'])
    expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|mb|percent)(_|$)/)
  }
  expect(body).toMatch(/^outgrow_database_wait_seconds_total \d/m)
  // Prometheus' own checker, where it is installed; CI installs it.
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' })
  if (checked.error) return
  expect([checked.status, checked.stdout + checked.stderr]).toEqual([0, ''])
})
