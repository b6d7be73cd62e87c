import { collectDefaultMetrics, Registry, type Metric } from 'prom-client'
import { collecting, collectorFamilies } from './collect.ts'
import type { Family, MetricGroup, Sample } from './family.ts'

export interface Metrics {
  /** Where an application puts metrics of its own. */
  registry: Registry
  /** Prometheus’ text, of now: what cannot be read within `limitMs` (5,000) is absent. */
  text(limitMs?: number): Promise<{ type: string; body: string }>
}

export interface MetricsOptions {
  groups: readonly MetricGroup[]
  /** Hears once of each source that cannot be read, until it can be again. */
  onFailed: (collector: string, error: unknown) => void
}

const longestMs = 5000

/** Gauges that are named as counters are: the same by type stays, without _total. */
const misnamed = [
  'nodejs_active_resources_total',
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
]

/** What Prometheus reads of a process: Node’s own, and what each group reads when it is asked. */
export function createMetrics({ groups, onFailed }: MetricsOptions): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of misnamed) registry.removeSingleMetric(name)
  const collectors = groups.map((group) => collecting(group, onFailed))
  const families = [...groups.flatMap((group) => group.families), ...collectorFamilies]
  return {
    registry,
    text: async (limitMs = longestMs) => {
      const samples = (await Promise.all(collectors.map((collect) => collect(limitMs)))).flat()
      const own = new Registry()
      for (const family of families) own.registerMetric(measured(family, samples))
      const body = await Registry.merge([registry, own]).metrics()
      return { type: registry.contentType, body }
    },
  }
}

const suffixes = ['', '_bucket', '_sum', '_count']

/** A metric whose values are known already. */
function measured({ name, type, help }: Family, samples: readonly Sample[]): Metric {
  const lines = type === 'histogram' ? suffixes.map((suffix) => name + suffix) : [name]
  const values = samples
    .filter((sample) => lines.includes(sample.name))
    .map(({ name, labels = {}, value }) => ({ metricName: name, labels, value }))
  const metric = { name, help, type, get: async () => ({ name, help, type, values, aggregator: 'sum' }) }
  return metric as unknown as Metric
}
