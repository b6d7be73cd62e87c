import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { openDatabase } from '@outgrow/db'
import { alertRules, dashboardRows } from '@outgrow/operations/monitor'
import { connectPostgres, openSqlite, withPostgres } from '@outgrow/databases'
import { makeDatabase, makeProductDatabase, temporaryFolder, until } from '@outgrow/testing'
import { outgrow, startOutgrow } from '@outgrow/testing/cli'
import { startOtlpReceiver } from '@outgrow/testing/otlp-receiver'
import { hasPooler, startPooler } from '@outgrow/testing/small-pool'
import { freePorts } from '@outgrow/testing/ports'
import { startStripe } from '@outgrow/testing/product'
import { hasPrometheus, secondsUntil, startPrometheus, type Prometheus } from '@outgrow/testing/prometheus'
import { hasReplication, startReplicatedPostgres } from '@outgrow/testing/replicated-postgres'
import { startApp } from '@outgrow/testing/running'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { labelsIn, readExposition, unknownIn } from './exposition.ts'

/** Three programs that wait for each other, on one core. */
const limitMs = 300_000

const root = join(import.meta.dirname, '../../..')
/** What was scraped while all was as it should be. */
const scraped: string[] = []
/** For the closing note: each fault, its alert, and the seconds between. */
const seconds: Record<string, number> = {}

afterAll(() => {
  console.log(JSON.stringify(seconds))
})

/** The web app and the worker over a database, each a process of its own. */
async function startBoth(databaseUrl: string, more: Record<string, string> = {}) {
  const running = new AsyncDisposableStack()
  const port = await freePorts()
  const stripe = running.use(await startStripe(port))
  const metricsPort = port + 4
  const env = {
    DATABASE_URL: databaseUrl,
    POSTGRES_URL: '',
    APP_URL: `http://127.0.0.1:${port}`,
    AUTH_SECRET: 'a secret of the browser tests, long enough',
    STRIPE_SECRET_KEY: 'sk_test_browser',
    STRIPE_API_BASE: stripe.url,
    STRIPE_WEBHOOK_SECRET: 'whsec_browser',
    PRICE_PRO: 'price_pro',
    PRICE_TEAM: 'price_team',
    SIGNS_DIR: temporaryFolder(),
    METRICS_PORT: String(metricsPort),
    LOG_LEVEL: 'warn',
    ...more,
  }
  const worker = running.use(await startApp('worker', port + 1, env))
  running.use(await startApp('web', port, env))
  const at = { worker: `127.0.0.1:${port + 1}`, web: `127.0.0.1:${metricsPort}` }
  return {
    worker,
    at,
    url: `http://127.0.0.1:${port}`,
    /** Waits until what both report has all of these, and keeps it. */
    reports: async (...parts: string[]) => {
      const ask = async (one: string) => (await fetch(`http://${one}/metrics`)).text()
      let texts: string[] = []
      await until(async () => {
        texts = await Promise.all(Object.values(at).map(ask))
        const all = texts.join('\n')
        return parts.every((part) => all.includes(part))
      })
      scraped.push(...texts)
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

const event = (stripeEventId: string, objectId: string, attempts: number) => ({
  stripeEventId,
  objectId,
  attempts,
  type: 'customer.subscription.updated',
  payload: '{}',
})

/** Waits until these alerts fire, and no others. How full this machine's disk is, no test can say. */
function untilOnly(prometheus: Prometheus, alerts: string[]): Promise<void> {
  return until(async () => {
    const firing = (await prometheus.firing()).filter((alert) => alert !== 'OutgrowDiskFilling')
    return isDeepStrictEqual(firing.toSorted(), alerts)
  })
}

/** As `outgrow backup` reads it; of no use outside of this test. */
const backupKey = 'a1b2c3d4e5f60718293a4b5c6d7e8f90112233445566778899aabbccddeeff01'

describe.skipIf(!hasPrometheus)('with the real Prometheus', () => {
  test(
    'on SQLite: a worker that is killed, a dead letter and a missing backup are alerts',
    { timeout: limitMs },
    async () => {
      const made = await makeProductDatabase('sqlite', inject('postgresUrl'))
      {
        await using product = await startBoth(made.url, {
          OUTGROW_BACKUP_TO: join(temporaryFolder(), 'none'),
        })
        await using prometheus = await startPrometheus(product.at.worker, product.at.web)
        seconds['no backup was ever made: OutgrowBackupAbsent'] = await secondsUntil(
          prometheus,
          'OutgrowBackupAbsent',
        )
        // There is not even a folder; and the worker was not asked at first.
        await untilOnly(prometheus, ['OutgrowBackupAbsent', 'OutgrowCollectorFailing', 'OutgrowDrillOld'])

        const database = await openDatabase(made.url)
        // Nobody can tell whose it is, and it has failed for three days.
        await database.client.webhookEvent.create({ data: event('evt_dead', 'zz_1', 99) })
        seconds['an event is given up: OutgrowDeadLetters'] = await secondsUntil(
          prometheus,
          'OutgrowDeadLetters',
        )
        await database.client.webhookEvent.deleteMany()
        await secondsUntil(prometheus, 'OutgrowDeadLetters', 'is silent')
        const [receivedAt, nextAttemptAt] = [new Date(Date.now() - 600_000), new Date(Date.now() + 600_000)]
        await database.client.webhookEvent.create({
          data: { ...event('evt_waiting', 'zz_2', 9), receivedAt, nextAttemptAt },
        })
        seconds['an event fails for ten minutes: OutgrowEventsWaiting'] = await secondsUntil(
          prometheus,
          'OutgrowEventsWaiting',
        )
        await database.client.webhookEvent.deleteMany()

        const path = made.url.slice('file:'.length)
        const [writer, reader] = [openSqlite(path), openSqlite(path)]
        let arrived = 0
        const arriving = setInterval(() => {
          const data = event(`evt_${arrived++}`, 'cus_nobody', 0)
          void database.client.webhookEvent.create({ data }).catch(() => {}) // it waits for the lock, too
        }, 200)
        const holding = setInterval(() => {
          if (writer.inTransaction) writer.exec('COMMIT')
          else writer.exec('BEGIN IMMEDIATE')
        }, 1500)
        seconds['another process holds the write lock: OutgrowLockWaits'] = await secondsUntil(
          prometheus,
          'OutgrowLockWaits',
        )
        clearInterval(arriving)
        clearInterval(holding)
        if (writer.inTransaction) writer.exec('COMMIT')
        reader.exec('BEGIN')
        reader.prepare('SELECT count(*) FROM sqlite_schema').get()
        writer.exec('CREATE TABLE filler (bytes BLOB)')
        for (let megabytes = 0; megabytes < 110; megabytes++)
          writer.exec('INSERT INTO filler VALUES (zeroblob(1000000))')
        seconds['a reader never ends while 110 MB are written: OutgrowWalGrowing'] = await secondsUntil(
          prometheus,
          'OutgrowWalGrowing',
        )
        reader.close()
        writer.exec('DROP TABLE filler')
        writer.close()
        await database.close()
        await fetch(product.url)

        product.worker.child.kill('SIGKILL')
        seconds['the worker is killed: OutgrowWorkerDown'] = await secondsUntil(
          prometheus,
          'OutgrowWorkerDown',
        )
        await until(() => prometheus.sent().includes('OutgrowWorkerDown'))
        expect(new Set(prometheus.sent())).toContain('OutgrowDeadLetters')
      }
      await made.drop()
    },
  )

  test(
    'on SQLite, with a backup that was proved and while it graduates, nothing is an alert',
    { timeout: limitMs },
    async () => {
      const made = await makeProductDatabase('sqlite', inject('postgresUrl'))
      const target = await makeDatabase(inject('postgresUrl'))
      const backups = join(temporaryFolder(), 'backups')
      using receiver = await startOtlpReceiver()
      const env = {
        POSTGRES_URL: target.url,
        OUTGROW_BACKUP_TO: backups,
        OUTGROW_BACKUP_KEY: backupKey,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      }
      const told = { ...env, DATABASE_URL: made.url }
      expect((await outgrow(['backup'], told)).code).toBe(0)
      expect((await outgrow(['backup', 'drill', '--server', inject('postgresUrl')], told)).code).toBe(0)
      {
        await using product = await startBoth(made.url, env)
        const graduating = startOutgrow(
          ['graduate', '--from', made.url, '--schema', 'prisma/schema'],
          told,
          root,
        )
        await graduating.says('Verified')
        const database = await openDatabase(made.url)
        await database.client.webhookEvent.create({ data: event('evt_nobody', 'cus_nobody', 0) })
        await database.close()
        await product.reports('\noutgrow_graduation_verified_equal 1', '\noutgrow_worker_outcomes_total{')
        await using prometheus = await startPrometheus(product.at.worker, product.at.web)
        await until(async () => (await prometheus.scrapes()) > 1)
        await untilOnly(prometheus, [])
        graduating.child.kill('SIGINT')
        await graduating.ended
        await outgrow(['graduate', 'cancel', '--from', made.url], told)
      }
      const sent = new Set(receiver.spans().map(({ service, name }) => `${service} ${name}`))
      for (const span of ['web GET /health', 'web prisma:client:operation', 'worker prisma:client:db_query'])
        expect(sent).toContain(span)
      await target.drop()
      await made.drop()
    },
  )

  test.skipIf(!hasPooler || !hasReplication)(
    'on Postgres: a pool that is too small, a standby that is behind, a log that is not archived and a server that is away are alerts',
    { timeout: limitMs },
    async () => {
      await using server = await startReplicatedPostgres()
      const made = await makeProductDatabase('postgres', server.url)
      await using pooler = await startPooler(made.url, 2)
      await using product = await startBoth(pooler.url, { PGBOUNCER_ADMIN_URL: pooler.consoleUrl })
      await using prometheus = await startPrometheus(product.at.worker, product.at.web)
      await product.reports('\noutgrow_postgres_replica_lag_seconds{')
      await until(async () => (await prometheus.scrapes()) > 1)
      await untilOnly(prometheus, ['OutgrowBackupAbsent', 'OutgrowDrillOld'])

      await withPostgres(server.url, async (client) => {
        await client.query("ALTER SYSTEM SET archive_command = '/bin/false'")
        await client.query('SELECT pg_reload_conf()')
        await client.query('CREATE TABLE written (n int)')
        await client.query('SELECT pg_switch_wal()')
      })
      seconds['archive_command fails: OutgrowArchivingFailing'] = await secondsUntil(
        prometheus,
        'OutgrowArchivingFailing',
      )

      await withPostgres(server.standbyUrl, (client) => client.query('SELECT pg_wal_replay_pause()'))
      const writing = setInterval(
        () =>
          void withPostgres(made.url, (client) =>
            client.query('SELECT pg_logical_emit_message(true, $1, $2)', ['test', 'x']),
          ).catch(() => {}),
        200,
      )
      seconds['a standby replays nothing: OutgrowReplicaBehind'] = await secondsUntil(
        prometheus,
        'OutgrowReplicaBehind',
      )
      clearInterval(writing)
      await withPostgres(server.standbyUrl, (client) => client.query('SELECT pg_wal_replay_resume()'))

      const holders = await Promise.all([1, 2].map(() => connectPostgres(pooler.url)))
      for (const holder of holders) await holder.query('BEGIN')
      seconds['two transactions hold a pool of two: OutgrowPoolWaiting'] = await secondsUntil(
        prometheus,
        'OutgrowPoolWaiting',
      )
      for (const holder of holders) await holder.end()
      await secondsUntil(prometheus, 'OutgrowPoolWaiting', 'is silent')

      await server.stop()
      seconds['Postgres is stopped: OutgrowDatabaseDown'] = await secondsUntil(
        prometheus,
        'OutgrowDatabaseDown',
      )
      await product.reports('\noutgrow_database_errors_total{')
      expect(await prometheus.firing()).toContain('OutgrowDatabaseDown')
      pooler.child.kill('SIGKILL') // it would keep those waiting who are to end now
    },
  )
})

describe.skipIf(!hasPrometheus || !hasPooler || !hasReplication)('what alerts and dashboard name', () => {
  const named = [
    ...alertRules.map(({ alert, expr }) => ({ of: alert, expr })),
    ...dashboardRows.flatMap(({ panels }) =>
      panels.flatMap(({ title, queries }) => queries.map(({ expr }) => ({ of: title, expr }))),
    ),
  ]

  test('is reported by the running apps: metrics, labels and values', () => {
    const exposition = readExposition(scraped)
    expect([...exposition.keys()].filter((name) => name.startsWith('outgrow_')).length).toBeGreaterThan(50)
    expect(
      named.flatMap(({ of, expr }) => unknownIn(expr, exposition).map((what) => `${of}: ${what}`)),
    ).toEqual([])
    const texts = alertRules.flatMap(({ alert, expr, summary, description }) =>
      [...`${summary} ${description}`.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => ({
        alert,
        expr,
        label,
      })),
    )
    expect(texts.filter(({ expr, label }) => !labelsIn(expr, exposition).has(label))).toEqual([])
  })

  test.each([
    ['rate(outgrow_nowhere_total[5m])', ['outgrow_nowhere_total']],
    ['outgrow_inbox_events{status="BURIED"} > 0', ['outgrow_inbox_events{status="BURIED"}']],
    ['outgrow_inbox_events{state="DEAD"}', ['outgrow_inbox_events{state="DEAD"}']],
    ['sum by (status, color) (outgrow_inbox_events)', ['by (color)']],
    ['absent(outgrow_inbox_events{job="x", status=~"D.*"}) or up{job="y"} == 0', []],
  ])('a rule is found out: %s', (expr, unknown) => {
    expect(unknownIn(expr, readExposition(scraped))).toEqual(unknown)
  })
})
