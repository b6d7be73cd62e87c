import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { planMonitoring, writeMonitoring } from '@outgrow/operations/monitor'
import { freePort } from './ports.ts'
import { run } from './running.ts'
import { temporaryFolder } from './sqlite.ts'
import { until } from './until.ts'

export const hasPrometheus = ['prometheus', 'prometheus-alertmanager'].every(
  (command) => spawnSync(command, ['--version']).status === 0,
)

export interface Prometheus extends AsyncDisposable {
  /** Alerts that fire now. */
  firing(): Promise<string[]>
  /** How often it has read each process, at least. */
  scrapes(): Promise<number>
  /** Alerts that Alertmanager has sent to the webhook. */
  sent(): string[]
}

/**
 * The real Prometheus and Alertmanager with the files that `outgrow monitor` writes. Only their patience is another: the
 * processes are read every two seconds, an alert fires as soon as two looks in a row agree, it is sent at once, and two
 * seconds are enough for a standby to be behind.
 */
export async function startPrometheus(worker: string, web: string): Promise<Prometheus> {
  const running = new AsyncDisposableStack()
  const folder = temporaryFolder()
  writeMonitoring(folder, planMonitoring(folder, { worker: [worker], web: [web], withToken: false }), false)
  const change = (file: string, how: (text: string) => string) =>
    writeFileSync(join(folder, file), how(readFileSync(join(folder, file), 'utf8')))
  const [port, managerPort] = [await freePort(), await freePort()]

  const webhook = await startWebhook()
  running.defer(webhook.close)
  change('alertmanager.yml', (text) =>
    // Debian's is older than the first that reads an address from a file.
    text
      .replace(/url_file: .*/, `url: ${webhook.url}`)
      .replace('group_wait: 30s', 'group_wait: 100ms')
      .replace('group_interval: 5m', 'group_interval: 1s'),
  )
  running.use(
    await run(
      'prometheus-alertmanager',
      [
        `--config.file=${join(folder, 'alertmanager.yml')}`,
        `--storage.path=${join(folder, 'alertmanager')}`,
        `--web.listen-address=127.0.0.1:${managerPort}`,
        '--cluster.listen-address=',
        '--log.level=warn',
      ],
      { isReady: async () => (await fetch(`http://127.0.0.1:${managerPort}/-/ready`)).ok },
    ),
  )
  change('prometheus.yml', (text) =>
    text
      .replace('scrape_interval: 15s', 'scrape_interval: 2s')
      .replace('evaluation_interval: 15s', 'evaluation_interval: 500ms')
      .replace('127.0.0.1:9093', `127.0.0.1:${managerPort}`),
  )
  change('alerts.yml', (text) =>
    text
      .replaceAll(/^( +for:) \w+$/gm, '$1 500ms')
      .replace(/(outgrow_postgres_replica_lag_seconds >=) \d+/, '$1 2'),
  )
  const url = `http://127.0.0.1:${port}`
  running.use(
    await run(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      { isReady: async () => (await fetch(`${url}/-/ready`)).ok },
    ),
  )
  const ask = async <Data>(path: string) =>
    ((await (await fetch(`${url}/api/v1/${path}`)).json()) as { data: Data }).data
  return {
    sent: () => webhook.sent,
    scrapes: async () => {
      const query = encodeURIComponent('min(count_over_time(up[1h]))')
      const { result } = await ask<{ result: { value: [number, string] }[] }>(`query?query=${query}`)
      return Number(result[0]?.value[1] ?? 0)
    },
    firing: async () => {
      const data = await ask<{ alerts: { state: string; labels: { alertname: string } }[] }>('alerts')
      return data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname)
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Waits until an alert fires, or does no more; in seconds since the call. */
export async function secondsUntil(
  prometheus: Prometheus,
  alert: string,
  state: 'fires' | 'is silent' = 'fires',
): Promise<number> {
  const asked = performance.now()
  await until(async () => (await prometheus.firing()).includes(alert) === (state === 'fires'))
  return Math.round((performance.now() - asked) / 100) / 10
}

/** What somebody who is to be woken has: an address that alerts are posted to. */
async function startWebhook() {
  const sent: string[] = []
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const { alerts } = body as { alerts: { status: string; labels: { alertname: string } }[] }
      sent.push(...alerts.filter(({ status }) => status === 'firing').map(({ labels }) => labels.alertname))
      return response.end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    sent,
    url: `http://127.0.0.1:${port}/`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
