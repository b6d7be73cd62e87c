import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@outgrow/testing'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { alertRules, planMonitoring, writeMonitoring } from '../../src/monitoring/monitor.ts'
import { alertCases } from './alert-cases.ts'

const isInstalled = spawnSync('promtool', ['--version']).status === 0
const request = { worker: ['127.0.0.1:3001'], web: ['127.0.0.1:3004'], withToken: false }

function written(): string {
  const folder = temporaryFolder()
  writeMonitoring(folder, planMonitoring(folder, request), false)
  return folder
}

test('every alert has a case in which it fires, and one in which it does not', () => {
  expect([...new Set(alertCases.map(({ alert }) => alert))]).toEqual(alertRules.map(({ alert }) => alert))
})

describe.skipIf(!isInstalled)('with promtool', () => {
  test('Prometheus accepts its configuration and the rules', () => {
    const checked = spawnSync('promtool', ['check', 'config', join(written(), 'prometheus.yml')], {
      encoding: 'utf8',
    })
    expect([checked.status, checked.stderr]).toEqual([0, ''])
    expect(checked.stdout).toContain(`SUCCESS: ${alertRules.length} rules found`)
  })

  test('each alert fires when it should, and only then', () => {
    const folder = written()
    const series = (given: Record<string, string>) =>
      Object.entries(given).map(([series, values]) => ({ series, values }))
    // promtool compares all labels of what fires: the names of the alerts are asked for in their place.
    const firing = (alert: string) =>
      `group by (alertname) (ALERTS{alertname="${alert}", alertstate="firing"})`
    const tests = alertCases.flatMap(({ alert, fires, isSilent, at }) => [
      {
        interval: '1m',
        name: `${alert} fires`,
        input_series: series(fires),
        promql_expr_test: [
          {
            expr: firing(alert),
            eval_time: at,
            exp_samples: [{ labels: `{alertname="${alert}"}`, value: 1 }],
          },
        ],
      },
      {
        interval: '1m',
        name: `${alert} is silent`,
        input_series: series(isSilent),
        promql_expr_test: [{ expr: firing(alert), eval_time: at, exp_samples: [] }],
      },
    ])
    const file = join(folder, 'tests.yml')
    writeFileSync(file, stringify({ rule_files: ['alerts.yml'], evaluation_interval: '1m', tests }))
    const ran = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' })
    expect([ran.status, ran.stdout.trim(), ran.stderr]).toEqual([0, expect.stringContaining('SUCCESS'), ''])
  })
})
