/** Seconds since 1970, as Stripe counts. */
export type Seconds = number

export const hour = 3600
export const day = 24 * hour

/** The same day of the next month, or its last day. */
export function addMonths(from: Seconds, months: number): Seconds {
  const date = new Date(from * 1000)
  const dayOfMonth = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + months)
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(dayOfMonth, last))
  return Math.floor(date.getTime() / 1000)
}
