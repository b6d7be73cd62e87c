const dayMs = 86_400_000
/** Shorter than this, and a day's growth would be guessed. */
const minSpanMs = 3_600_000

/** What a look found: ms since 1970, and the file's size then. */
export interface Size {
  at: number
  sizeBytes: number
}

/** A file's growth in bytes a day, by least squares over its sizes; undefined when they span less than an hour. */
export function growthPerDay(sizes: readonly Size[]): number | undefined {
  const [first, last] = [sizes[0], sizes.at(-1)]
  if (!first || !last || last.at - first.at < minSpanMs) return undefined
  const points = sizes.map(({ at, sizeBytes }) => [(at - first.at) / dayMs, sizeBytes] as const)
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length
  const over = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const under = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return under === 0 ? undefined : over / under
}

/** The day on which a file reaches a size; undefined when it does not grow, or only after ten years. */
export function dayOfSize(
  bytes: number,
  sizeBytes: number,
  perDay: number | undefined,
  now: number,
): Date | undefined {
  if (perDay === undefined || perDay <= 0 || sizeBytes >= bytes) return undefined
  const days = (bytes - sizeBytes) / perDay
  return days > 3650 ? undefined : new Date(now + days * dayMs)
}
