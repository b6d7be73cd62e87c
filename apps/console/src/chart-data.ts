import { collisionsPerMinute, webhookArrivals, type Arrival, type BillingStore } from '@outgrow/billing'
import type { Database } from '@outgrow/db'
import { identityOf, seriesOf, type SignStore } from '@outgrow/signs'
import { ranges, type Range } from './chart-ranges.ts'

/** Longer slots are drawn from their first and last samples. */
const wholeMs = 60_000

/** A chart: slots along time, and a line for each name. */
interface Chart {
  name: string
  title: string
  unit: string
  lines: Record<string, (number | null)[]>
}

export interface ChartData {
  range: Range
  slotMs: number
  /** Seconds since 1970. */
  time: number[]
  charts: Chart[]
}

interface ChartSource {
  database: Database
  billing: BillingStore
  store: SignStore
}

/** The charts of a range, or of its last slots only. */
export async function chartData(source: ChartSource, range: Range, lastSlots?: number): Promise<ChartData> {
  const { database, billing, store } = source
  const { spanMs, slotMs } = ranges[range]
  const to = Date.now()
  const from = lastSlots === undefined ? to - spanMs : to - (lastSlots - 1) * slotMs
  // One slot before the first: counters are differences.
  const samples = store.since(
    identityOf(database.url),
    from - 2 * slotMs,
    slotMs > wholeMs ? slotMs : undefined,
  )
  const series = seriesOf(samples, { from, to, slotMs })
  const collisions = await collisionLine(billing, series.time, slotMs)
  const isSqlite = database.provider === 'sqlite'
  const waits = { p50: series.lockWaitP50Ms, p99: series.lockWaitP99Ms }
  const common: Chart[] = [
    { name: 'webhooks', title: 'Colliding webhooks', unit: 'per minute', lines: { webhooks: collisions } },
    { name: 'size', title: 'Size', unit: 'MB', lines: { size: series.sizeMegabytes } },
    { name: 'event-loop', title: 'Event loop delay, p99', unit: 'ms', lines: { p99: series.eventLoopP99Ms } },
  ]
  const charts: Chart[] = isSqlite
    ? [
        { name: 'lock-wait', title: 'Wait for the write lock', unit: 'ms', lines: waits },
        { name: 'busy', title: 'Busy errors', unit: 'per minute', lines: series.busy },
        { name: 'duty', title: 'Write duty cycle', unit: '%', lines: { duty: series.duty } },
        {
          name: 'wal',
          title: 'WAL',
          unit: 'MB',
          lines: { size: series.walMegabytes, 'not checkpointed': series.lagMegabytes },
        },
        ...common,
      ]
    : [
        { name: 'lock-wait', title: 'Wait for a connection', unit: 'ms', lines: waits },
        { name: 'connections', title: 'Connections', unit: '', lines: { connections: series.connections } },
        { name: 'locks', title: 'Longest lock wait', unit: 'ms', lines: { wait: series.lockWaitMs } },
        ...common,
      ]
  return { range, slotMs, time: series.time, charts }
}

async function collisionLine(
  billing: BillingStore,
  time: number[],
  slotMs: number,
): Promise<(number | null)[]> {
  // The whole of the first minute, and what came just before it.
  const since = Math.floor((time[0] ?? 0) / 60) * 60_000 - 1000
  const perMinute = collisionsPerMinute(await arrivalsOf(billing, new Date(since)))
  const slots = new Map<number, number>()
  for (const [minute, count] of perMinute) {
    const slot = Math.floor(minute / slotMs)
    slots.set(slot, Math.max(slots.get(slot) ?? 0, count))
  }
  // Within a minute each of its slots shows the minute's number.
  const within = Math.max(1, 60_000 / slotMs)
  return time.map((seconds) => {
    const slot = Math.floor((seconds * 1000) / slotMs)
    return slots.get(slot) ?? slots.get(Math.floor(slot / within) * within) ?? 0
  })
}

/** None in a database that has not the product's inbox. */
async function arrivalsOf(billing: BillingStore, since: Date): Promise<Arrival[]> {
  try {
    return await webhookArrivals(billing, since)
  } catch (error) {
    if (isMissingTable(error)) return []
    throw error
  }
}

/** Whether the database is of another schema than the product's. */
export function isMissingTable(error: unknown): boolean {
  return ['P2021', 'P2022'].includes((error as { code?: string }).code ?? '')
}
