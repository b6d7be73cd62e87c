const hourMs = 3_600_000

/** How far back charts go, and how long a slot of theirs is: some hundred slots each. The first is shown at first. */
export const ranges = {
  minutes: { spanMs: hourMs / 6, slotMs: 10_000, label: '10 minutes' },
  hour: { spanMs: hourMs, slotMs: 30_000, label: 'Hour' },
  day: { spanMs: 24 * hourMs, slotMs: hourMs / 4, label: 'Day' },
  month: { spanMs: 30 * 24 * hourMs, slotMs: 6 * hourMs, label: 'Month' },
} as const

export type Range = keyof typeof ranges

export function isRange(text: string | undefined): text is Range {
  return text !== undefined && Object.hasOwn(ranges, text)
}
