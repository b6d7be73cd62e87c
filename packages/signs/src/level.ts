/** How serious a sign is, in this order. */
export const levels = ['fine', 'watch', 'plan', 'graduate'] as const

/** `unknown`: it was not measured, and nobody knows how it is. */
export type Level = (typeof levels)[number] | 'unknown'

/** Where a level begins; a sign that no move to Postgres would mend has no `graduate`. */
export interface Threshold {
  watch: number
  plan?: number
  graduate?: number
  unit: 'ms' | 'bytes' | 'share' | 'per minute' | 'count' | 'pages' | 'hours'
  /** Where the numbers come from. */
  source: string
}

/** One sign, measured and judged. */
export interface Sign {
  name: string
  title: string
  level: Level
  /** In the threshold's unit; null where it could not be measured. */
  value: number | null
  /** What was seen, for people. */
  text: string
  threshold: Threshold
  /** What to do; empty while nothing needs doing. */
  advice: string
}

function levelOf(value: number | null, { watch, plan, graduate }: Threshold): Level {
  if (value === null) return 'unknown'
  if (value < watch) return 'fine'
  if (graduate !== undefined && value >= graduate) return 'graduate'
  return plan !== undefined && value >= plan ? 'plan' : 'watch'
}

/** A sign of a value and its threshold; the advice goes with what is not fine. */
export function judged(
  name: string,
  threshold: Threshold,
  sign: Pick<Sign, 'title' | 'value' | 'text' | 'advice'>,
): Sign {
  const level = levelOf(sign.value, threshold)
  const needsNothing = level === 'fine' || level === 'unknown'
  return { name, level, threshold, ...sign, advice: needsNothing ? '' : sign.advice }
}

/** The most serious of all signs that were measured, which they are, and those that nobody measured. */
export function verdictOf(signs: readonly Sign[]): { level: Level; reasons: Sign[]; unknown: Sign[] } {
  const level = levels.findLast((one) => signs.some((sign) => sign.level === one)) ?? 'unknown'
  const of = (wanted: Level) => signs.filter((sign) => sign.level === wanted)
  return { level, reasons: level === 'fine' || level === 'unknown' ? [] : of(level), unknown: of('unknown') }
}

/** Signs that want attention, the most serious first. */
export function seriousFirst(signs: readonly Sign[]): Sign[] {
  const rank = ({ level }: Sign) => levels.findIndex((one) => one === level)
  return signs.filter((sign) => rank(sign) > 0).toSorted((a, b) => rank(b) - rank(a))
}
