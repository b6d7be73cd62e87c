import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@outgrow/testing'
import { outgrow } from '@outgrow/testing/cli'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'

interface Document {
  files: { path: string; change: string }[]
  error: { code: string; message: string } | null
}

const monitor = (...args: string[]) => outgrow<Document>(['monitor', ...args])
const changes = ({ files }: Document) => [...new Set(files.map(({ change }) => change))]
const isInstalled = (command: string) => spawnSync(command, ['--version']).error === undefined

test('it writes the files once, and replaces what was changed only when it is told to', async () => {
  const folder = join(temporaryFolder(), 'monitoring')
  const dry = await monitor('--dir', folder, '--dry-run')
  expect([dry.code, changes(dry.document), existsSync(folder)]).toEqual([0, ['new'], false])
  const first = await monitor('--dir', folder)
  expect([first.code, changes(first.document)]).toEqual([0, ['new']])
  expect(changes((await monitor('--dir', folder)).document)).toEqual(['unchanged'])

  const alerts = join(folder, 'alerts.yml')
  writeFileSync(alerts, 'groups: []\n')
  const refused = await monitor('--dir', folder, '--web', '127.0.0.1:4004')
  expect([refused.code, refused.document.error?.code]).toEqual([2, 'OUTGROW_MONITORING_EXISTS'])
  expect(refused.document.error?.message).toContain('alerts.yml')
  expect(readFileSync(alerts, 'utf8')).toBe('groups: []\n')
  expect(readFileSync(join(folder, 'prometheus.yml'), 'utf8')).not.toContain('4004')
  expect((await monitor('--dir', folder, '--web', '127.0.0.1:4004', '--force')).code).toBe(0)
  expect(readFileSync(alerts, 'utf8')).toContain('OutgrowWorkerDown')
  expect(readFileSync(join(folder, 'prometheus.yml'), 'utf8')).toContain('4004')
  expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).includes('.part'))).toEqual(
    [],
  )
})

test.each([
  ['--worker', 'http://127.0.0.1:3001'],
  ['--worker', '127.0.0.1'],
  ['--worker', '127.0.0.1:70000'],
  ['--web', 'a b:1'],
  ['--web', 'web:3004'], // the worker is on this machine then
])('%s %s is refused, and nothing is written', async (option, target) => {
  const folder = join(temporaryFolder(), 'monitoring')
  const { code, document } = await monitor('--dir', folder, option, target)
  expect([code, document.error?.code, existsSync(folder)]).toEqual([2, 'OUTGROW_OPTION_INVALID', false])
})

interface Compose {
  services: Record<string, { network_mode?: string; ports?: string[]; volumes: string[]; command?: string[] }>
  secrets: Record<string, { environment: string }>
}

test.each([
  { args: [], isHost: true, joins: false },
  {
    args: ['--worker', '10.0.0.5:3001', '--web', 'web.example:3004', '--token'],
    isHost: false,
    joins: false,
  },
  {
    args: ['--worker', 'worker:3001', '--web', 'web-1:3004', 'web-2:3004', '--token'],
    isHost: false,
    joins: true,
  },
])(
  'what compose runs with $args is reached from this machine only, and finds its files',
  async ({ args, isHost, joins }) => {
    const cwd = temporaryFolder()
    const folder = join(cwd, 'monitoring')
    const { stdout, stderr } = await outgrow(['monitor', ...args], {}, cwd)
    const command = joins
      ? 'docker compose -f compose.yaml -f monitoring/compose.monitoring.yaml up -d'
      : 'docker compose -f monitoring/compose.monitoring.yaml up -d'
    expect(stdout + stderr).toContain(`then ${command}\n`)
    const { services, secrets } = parse(
      readFileSync(join(folder, 'compose.monitoring.yaml'), 'utf8'),
    ) as Compose
    for (const { network_mode, ports, volumes, command: line } of Object.values(services)) {
      expect(network_mode).toBe(isHost ? 'host' : undefined)
      const published = ports?.map((port) => port.split(':')[0])
      expect(published).toEqual(isHost ? undefined : ['127.0.0.1'])
      const listens = line?.find((one) => one.startsWith('--web.listen-address='))
      expect(listens?.includes('127.0.0.1') ?? isHost).toBe(isHost)
      const mounted = volumes
        .filter((volume) => volume.startsWith('./'))
        .map((volume) => volume.split(':')[0] ?? '')
      for (const path of mounted)
        expect([path, existsSync(join(joins ? cwd : folder, path))]).toEqual([path, true])
    }
    expect(Object.values(secrets).map(({ environment }) => environment)).toEqual(
      isHost ? ['ALERT_WEBHOOK_URL'] : ['ALERT_WEBHOOK_URL', 'METRICS_TOKEN'],
    )
    const prometheus = readFileSync(join(folder, 'prometheus.yml'), 'utf8')
    expect(prometheus.includes('credentials_file: /run/secrets/metrics_token')).toBe(!isHost)
  },
)

test('the dashboard has one data source, which is chosen in it, and no panel over another', async () => {
  const folder = temporaryFolder()
  await monitor('--dir', folder)
  interface Panel {
    id: number
    type: string
    datasource?: unknown
    gridPos: { x: number; y: number; w: number; h: number }
    targets?: { datasource: unknown; expr: string; refId: string }[]
  }
  const { panels, templating } = JSON.parse(readFileSync(join(folder, 'grafana/outgrow.json'), 'utf8')) as {
    panels: Panel[]
    templating: { list: { name: string; type: string; query: string }[] }
  }
  expect(templating.list).toEqual([expect.objectContaining({ name: 'datasource', type: 'datasource' })])
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const source = { type: 'prometheus', uid: '${datasource}' }
  for (const { type, datasource, targets } of panels.filter(({ type }) => type !== 'row')) {
    expect([type, datasource]).toEqual([expect.stringMatching(/^(stat|timeseries)$/), source])
    expect(targets?.every((target) => target.expr !== '' && target.refId !== '')).toBe(true)
  }
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
})

describe.skipIf(!isInstalled('amtool'))('with amtool', () => {
  test('Alertmanager accepts its configuration, and routes every alert to the operators', async () => {
    const folder = temporaryFolder()
    await monitor('--dir', folder)
    const path = join(folder, 'alertmanager.yml')
    // Debian's is older than the first that reads an address from a file.
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace(/url_file: .*/, 'url: http://127.0.0.1:9/'))
    const checked = spawnSync('amtool', ['check-config', path], { encoding: 'utf8' })
    expect([checked.status, checked.stdout]).toEqual([0, expect.stringContaining('SUCCESS')])
    for (const severity of ['critical', 'warning']) {
      const routed = spawnSync(
        'amtool',
        ['config', 'routes', 'test', `--config.file=${path}`, `severity=${severity}`],
        {
          encoding: 'utf8',
        },
      )
      expect(routed.stdout.trim()).toBe('operators')
    }
  })
})
