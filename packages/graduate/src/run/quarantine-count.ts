import type { Adjustment } from './adjust.ts'

/** Rows that were set aside after they had been loaded. */
export function setsAside(adjustments: Adjustment[]): number {
  return adjustments.reduce((sum, { rows }) => sum - rows, 0)
}
