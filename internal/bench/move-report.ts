import { writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { duration, size, textTable } from 'outgrow/output/terminal'
import type { ApproachName } from './approach.ts'
import type { Traffic } from './delay-proxy.ts'
import { median, type Usage } from './process-usage.ts'

/** One approach in one round. */
export interface Run extends Usage {
  serverCpuMs: number
}

/** An approach in all rounds. */
export interface Measured {
  runs: Run[]
  /** Of the runs whose bytes were counted: at least one. */
  traffic: Traffic[]
}

interface Settings {
  rows: number
  rounds: number
  latencyMs: number
}

interface Ratio {
  median: number
  /** In the order of the rounds. */
  rounds: number[]
}

const ratioTitles = {
  outgrowToLimit: 'outgrow to limit',
  driverToOutgrow: 'outgrow by driver to outgrow',
  unverifiedToLimit: 'outgrow unverified to limit',
  csvToOutgrow: 'sqlite3 csv to outgrow',
  pgloaderToOutgrow: 'pgloader to outgrow',
  verifyToMove: 'outgrow verify to outgrow',
  receivedOfSent: 'outgrow, bytes received to bytes sent',
}

/** Prints what was measured, and writes it where a file is named. */
export function reportMove(settings: Settings, measured: Map<ApproachName, Measured>, json?: string): void {
  const approaches = [...measured].map(([name, { runs, traffic }]) => ({
    name,
    medianMs: middle(runs, ({ ms }) => ms),
    clientCpuMs: middle(runs, ({ cpuMs }) => cpuMs),
    serverCpuMs: middle(runs, ({ serverCpuMs }) => serverCpuMs),
    peakBytes: Math.max(...runs.map(({ peakBytes }) => peakBytes)),
    sentBytes: middle(traffic, ({ sentBytes }) => sentBytes),
    receivedBytes: middle(traffic, ({ receivedBytes }) => receivedBytes),
    rowsPerSecond: Math.round(settings.rows / (middle(runs, ({ ms }) => ms) / 1000)),
  }))
  const ratios = ratiosOf(measured)
  const head = ['approach', 'median', 'client CPU', 'server CPU', 'peak memory', 'sent', 'received', 'rows/s']
  const rows = approaches.map((one) => [
    one.name,
    duration(one.medianMs),
    duration(one.clientCpuMs),
    duration(one.serverCpuMs),
    size(one.peakBytes),
    size(one.sentBytes),
    size(one.receivedBytes),
    one.rowsPerSecond,
  ])
  process.stdout.write(`\n${textTable(head, rows).join('\n')}\n\n`)
  for (const [name, ratio] of Object.entries(ratios)) {
    if (ratio === null) continue
    const title = ratioTitles[name as keyof typeof ratioTitles]
    const rounds = ratio.rounds.map((value) => value.toFixed(2)).join(' ')
    process.stdout.write(`${title}: ${ratio.median.toFixed(2)} (${rounds})\n`)
  }
  if (json === undefined) return
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    postgres: '18 (embedded)',
  }
  writeFileSync(json, `${JSON.stringify({ machine, ...settings, approaches, ratios }, null, 2)}\n`)
}

/** Null where one of both was left out. */
function ratiosOf(measured: Map<ApproachName, Measured>): Record<keyof typeof ratioTitles, Ratio | null> {
  /** What drifts within a run touches both sides of a round. */
  const times = (a: ApproachName, b: ApproachName): Ratio | null => {
    const [left, right] = [measured.get(a), measured.get(b)]
    if (!left || !right) return null
    return ratioOf(left.runs.map(({ ms }, at) => ms / (right.runs[at]?.ms ?? Number.NaN)))
  }
  const moved = measured.get('outgrow')
  return {
    outgrowToLimit: times('outgrow', 'limit'),
    driverToOutgrow: times('outgrow by driver', 'outgrow'),
    unverifiedToLimit: times('outgrow unverified', 'limit'),
    csvToOutgrow: times('sqlite3 csv to psql', 'outgrow'),
    pgloaderToOutgrow: times('pgloader', 'outgrow'),
    verifyToMove: times('outgrow verify', 'outgrow'),
    receivedOfSent: moved
      ? ratioOf(moved.traffic.map(({ sentBytes, receivedBytes }) => receivedBytes / sentBytes))
      : null,
  }
}

function ratioOf(values: number[]): Ratio {
  const rounds = values.map((value) => Number(value.toFixed(3)))
  return { median: Number(median(values).toFixed(3)), rounds }
}

function middle<Item>(items: Item[], value: (item: Item) => number): number {
  return Math.round(median(items.map(value)))
}
