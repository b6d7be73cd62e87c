import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStripe } from '@outgrow/billing'
import { preparePool } from '@outgrow/operations'
import { consoleEnv } from '../../apps/console/src/env.ts'
import { webEnv } from '../../apps/web/src/env.ts'
import { workerEnv } from '../../apps/worker/src/env.ts'
import { readServices } from './compose-file.ts'
import { askedBy } from './asked-by.ts'

const root = join(import.meta.dirname, '../..')
const apps = { web: [webEnv, openStripe], worker: [workerEnv, openStripe], console: [consoleEnv, openStripe] }
/** What the image sets, or leaves at its default on purpose: the ports are those of the health checks, and of the metrics. */
const ofImage = ['HOST', 'PORT', 'METRICS_PORT', 'SIGNS_DIR']

test.each(['compose.yaml', 'compose.sqlite.yaml'])('%s passes on each setting that an app reads', (file) => {
  const services = readServices(join(root, file))
  for (const [name, reads] of Object.entries(apps)) {
    const passed = Object.keys(services[name]?.environment ?? {})
    const missing = reads
      .flatMap(askedBy)
      .filter((variable) => !passed.includes(variable) && !ofImage.includes(variable))
    expect({ name, missing }).toEqual({ name, missing: [] })
  }
})

test.each(composeFiles())(
  '%s: our own services have no rights and nothing to write to but their volume',
  (file) => {
    const own = Object.entries(readServices(join(root, file))).filter(
      ([, { image }]) => image === 'outgrow-app',
    )
    expect(own.length).toBeGreaterThan(0)
    for (const [name, service] of own)
      expect({ name, ...service }).toMatchObject({
        name,
        read_only: true,
        tmpfs: ['/tmp'],
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      })
  },
)

test('compose.yaml has the pooler that outgrow pool computes for it', async () => {
  const services = readServices(join(root, 'compose.yaml'))
  const { plan } = await preparePool({
    cores: 2,
    maxConnections: 100,
    processes: Object.keys(apps).filter((name) => services[name]).length,
    connectionLimit: undefined,
    auth: 'query',
    listen: { host: '0.0.0.0', port: 6432 },
    folder: '/etc/pgbouncer',
    databaseUrl: undefined,
    databases: [],
    roles: [],
  })
  const computed = plan.settings.map(({ name, value }) => [name.toUpperCase(), value])
  expect(services.pgbouncer?.environment).toMatchObject(Object.fromEntries(computed) as object)
})

function composeFiles(): string[] {
  return readdirSync(root).filter(
    (name) => /^compose\..*yaml$/.test(name) && name !== 'compose.monitoring.yaml',
  )
}
