import type { MetricGroup, Sample } from './family.ts'

export const collectorFamilies = [
  {
    name: 'outgrow_collector_up',
    type: 'gauge',
    help: 'Whether a source of metrics could be read, by collector',
  },
  {
    name: 'outgrow_collector_duration_seconds',
    type: 'gauge',
    help: 'How long reading a source of metrics took, by collector',
  },
] as const

/**
 * Reads a group again and again, for whoever asks. One that hangs is not asked twice: its metrics are absent, and it is
 * reported, until it answers.
 */
export function collecting(
  group: MetricGroup,
  onFailed: (collector: string, error: unknown) => void,
): (limitMs: number) => Promise<Sample[]> {
  let reading: Promise<Sample[] | undefined> | undefined
  let isFailing = false
  const report = (error: unknown) => {
    if (!isFailing) onFailed(group.name, error)
    isFailing = true
  }
  return async (limitMs) => {
    const asked = performance.now()
    reading ??= Promise.resolve()
      .then(() => group.read())
      .finally(() => (reading = undefined))
    let samples: Sample[] | undefined
    let isUp = 1
    try {
      samples = await inTime(reading, limitMs)
      isFailing = false
    } catch (error) {
      report(error)
      isUp = 0
    }
    if (samples === undefined && isUp === 1) return []
    const labels = { collector: group.name }
    return [
      ...(samples ?? []),
      { name: 'outgrow_collector_up', labels, value: isUp },
      { name: 'outgrow_collector_duration_seconds', labels, value: (performance.now() - asked) / 1000 },
    ]
  }
}

async function inTime<Result>(work: Promise<Result>, limitMs: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs / 1000} s`)), limitMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
