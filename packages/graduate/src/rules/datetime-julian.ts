import type { ValueRule } from './rule.ts'

/** 1970-01-01T00:00Z as a Julian day. */
const epoch = 2440587.5
const dayMs = 86400000
/** The Julian day of 9999-12-31T24:00Z, where SQLite's dates end. */
const end = 5373484.5

/** A Julian day as milliseconds since 1970. Source: SQLite's "Date And Time Functions". */
export const datetimeJulian: ValueRule<number, number> = {
  name: 'datetime-julian',
  help: 'reads fractional numbers as Julian days',
  fix: (day) => (day > 0 && day < end ? Math.round((day - epoch) * dayMs) : undefined),
}

/** Whether a number with a fraction may be a Julian day of our era. */
export function looksLikeJulianDay(value: number): boolean {
  return value > 1721425 && value < end
}
