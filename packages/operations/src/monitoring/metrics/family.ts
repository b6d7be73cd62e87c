import type { Durations } from '@outgrow/databases'
import { slotEndsMs } from '@outgrow/databases'

/** One metric, as Prometheus names it. */
export interface Family {
  name: string
  type: 'gauge' | 'counter' | 'histogram'
  help: string
}

/** One value of a family, under the name that its line has. */
export interface Sample {
  name: string
  labels?: Record<string, string>
  value: number
}

/** Metrics that are read together, from one source. */
export interface MetricGroup {
  /** The label `collector` of what is reported of the reading itself. */
  name: string
  families: readonly Family[]
  /** Undefined where there is nothing to read now. What it throws is reported, and its metrics are absent then. */
  read(): Promise<Sample[] | undefined> | Sample[] | undefined
}

/** The samples of a histogram in seconds. */
export function histogramSamples(name: string, { count, totalMs, buckets }: Durations): Sample[] {
  let below = 0
  return [
    ...slotEndsMs.map((endMs, slot) => {
      below += buckets[slot] ?? 0
      return { name: `${name}_bucket`, labels: { le: String(endMs / 1000) }, value: below }
    }),
    { name: `${name}_bucket`, labels: { le: '+Inf' }, value: count },
    { name: `${name}_sum`, value: totalMs / 1000 },
    { name: `${name}_count`, value: count },
  ]
}

/** One sample for each value of a label. */
export function byLabel(name: string, label: string, values: Record<string, number>): Sample[] {
  return Object.entries(values).map(([key, value]) => ({ name, labels: { [label]: key }, value }))
}

/** One sample for each of the states, 1 for the one that it is in. */
export function stateSamples<State extends string>(
  name: string,
  states: readonly State[],
  current: State,
): Sample[] {
  return states.map((state) => ({ name, labels: { state }, value: state === current ? 1 : 0 }))
}

/** Seconds since 1970, Prometheus’ own measure of a moment. */
export function toSeconds(moment: string): number {
  return Date.parse(moment) / 1000
}
