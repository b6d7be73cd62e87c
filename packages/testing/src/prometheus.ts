import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { planMonitoring, writeMonitoring } from '@outgrow/operations/monitor'
import { freePort, run } from './running.ts'
import { temporaryFolder } from './sqlite.ts'
import { until } from './until.ts'

export interface Prometheus extends AsyncDisposable {
  /** Alerts that fire now. */
  firing(): Promise<string[]>
  /** How often it has read each process, at least. */
  scrapes(): Promise<number>
}

/**
 * The real Prometheus with the files that `outgrow monitor` writes. Only its patience is another: it reads the
 * processes every two seconds, an alert fires as soon as two looks in a row agree, and two seconds are enough for a standby to be behind.
 */
export async function startPrometheus(worker: string, web: string): Promise<Prometheus> {
  const folder = temporaryFolder()
  writeMonitoring(folder, planMonitoring(folder, { worker: [worker], web: [web], withToken: false }), false)
  const change = (file: string, how: (text: string) => string) =>
    writeFileSync(join(folder, file), how(readFileSync(join(folder, file), 'utf8')))
  change('prometheus.yml', (text) =>
    text
      .replace('scrape_interval: 15s', 'scrape_interval: 2s')
      .replace('evaluation_interval: 15s', 'evaluation_interval: 500ms')
      .replace(/^alerting:[^]*?(?=^\w)/m, ''),
  )
  change('alerts.yml', (text) =>
    text
      .replaceAll(/^( +for:) \w+$/gm, '$1 500ms')
      .replace(/(outgrow_postgres_replica_lag_seconds >=) \d+/, '$1 2'),
  )
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const running = await run(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { isReady: async () => (await fetch(`${url}/-/ready`)).ok },
  )
  const ask = async <Data>(path: string) =>
    ((await (await fetch(`${url}/api/v1/${path}`)).json()) as { data: Data }).data
  return {
    scrapes: async () => {
      const query = encodeURIComponent('min(count_over_time(up[1h]))')
      const { result } = await ask<{ result: { value: [number, string] }[] }>(`query?query=${query}`)
      return Number(result[0]?.value[1] ?? 0)
    },
    firing: async () => {
      const data = await ask<{ alerts: { state: string; labels: { alertname: string } }[] }>('alerts')
      return data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname)
    },
    [Symbol.asyncDispose]: running[Symbol.asyncDispose],
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
