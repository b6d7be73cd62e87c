import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { prismaStore } from '@outgrow/billing'
import { openDatabase } from '@outgrow/db'
import { alertRules } from '@outgrow/operations/monitor'
import { makeProductDatabase } from '@outgrow/testing'
import { expect, inject, test } from 'vitest'
import { webEnv } from '../../apps/web/src/env.ts'
import { webMetrics } from '../../apps/web/src/metrics.ts'
import { workerEnv } from '../../apps/worker/src/env.ts'
import { workerMetrics } from '../../apps/worker/src/metrics.ts'

const root = join(import.meta.dirname, '../..')
const document = readFileSync(join(root, 'docs/monitoring.md'), 'utf8')
/** The rows of a table, by the head of its first column. */
const table = (head: string) =>
  (document.split(new RegExp(`^\\| ${head} .*\\n\\|[-| ]+\\n`, 'm'))[1] ?? '')
    .split('\n\n')[0]
    ?.split('\n')
    .map((row) =>
      row
        .slice(1, -1)
        .split(' | ')
        .map((cell) => cell.trim().replaceAll('`', '')),
    )

test('docs/monitoring.md lists every metric with its type and meaning, as the apps report it', async () => {
  const { url, drop } = await makeProductDatabase('sqlite', inject('postgresUrl'))
  const database = await openDatabase(url)
  const log = { warn: () => {} } as never
  const PGBOUNCER_ADMIN_URL = 'postgresql://watcher@127.0.0.1:1/pgbouncer'
  const ofWorker = workerEnv({ DATABASE_URL: url, OUTGROW_BACKUP_TO: '/nowhere', PGBOUNCER_ADMIN_URL })
  const ofWeb = webEnv({
    DATABASE_URL: url,
    AUTH_SECRET: 'x'.repeat(32),
    STRIPE_WEBHOOK_SECRET: 'whsec_x',
    PRICE_PRO: 'price_pro',
    PRICE_TEAM: 'price_team',
  })
  const worker = workerMetrics({ env: ofWorker, database, store: prismaStore(database), log })
  const web = webMetrics({ env: ofWeb, database, log })
  const reported = new Map<string, string[]>()
  for (const [app, metrics] of [
    ['worker', worker],
    ['web', web],
  ] as const) {
    const { body } = await metrics.text()
    for (const [, name = '', help = '', type = ''] of body.matchAll(
      /^# HELP (outgrow_\S+) (.*)\n# TYPE \S+ (\S+)$/gm,
    ))
      reported.set(name, [name, reported.has(name) ? 'both' : app, type, help])
  }
  await database.close()
  await drop()
  const rows = [...reported.values()].toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))
  expect(rows.length).toBeGreaterThan(50)
  expect(table('metric')).toEqual(rows)
})

test('docs/monitoring.md lists every alert, with how long it waits and how severe it is', () => {
  const rows = table('alert')?.map(([alert, , wait, severity]) => [alert, wait, severity])
  expect(rows).toEqual(alertRules.map((rule) => [rule.alert, rule.for, rule.severity]))
})
