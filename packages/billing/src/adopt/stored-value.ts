import { isUtf8 } from 'node:buffer'

/** Text of a column's value; null where it has none. */
export function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  if (Buffer.isBuffer(value)) return isUtf8(value) && !value.includes(0) ? value.toString('utf8') : null
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value) : `${value as number | boolean | bigint}`
}

/**
 * Whether a column says yes: by one of the values that mean it, by `true`, or by a time, which is when something was done.
 * Null where it says nothing.
 */
export function flagOf(value: unknown, yes: readonly string[]): boolean | null {
  const text = textOf(value)?.trim().toLowerCase()
  if (text === undefined || text === '') return null
  return (
    text === 'true' ||
    yes.includes(text) ||
    (/^\d{4}-\d{2}-\d{2}|^\d{9,}/.test(text) && timeOf(text) !== null)
  )
}

/**
 * The time that a column holds: a date as text, without a zone in UTC, or a number of seconds, milliseconds or
 * microseconds since 1970, which are told apart by their size. Null where it is none.
 */
export function timeOf(value: unknown): Date | null {
  const text = textOf(value)?.trim() ?? ''
  if (/^\d+(\.\d+)?$/.test(text)) {
    const number = Number(text)
    return valid(number < 1e11 ? number * 1000 : number < 1e14 ? number : number / 1000)
  }
  const [, date, time = '00:00:00', sign, hours = '00', minutes = '00'] =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?\s*(?:([+-])(\d{2}):?(\d{2})?|Z|UTC)?$/i.exec(
      text,
    ) ?? []
  if (date === undefined) return null
  const zone = sign === undefined ? 'Z' : `${sign}${hours}:${minutes}`
  return valid(Date.parse(`${date}T${time.replace(/(\.\d{3})\d+$/, '$1')}${zone}`))
}

/** Before the year 1 or behind 9999 is no time that a database takes. */
function valid(ms: number): Date | null {
  const date = new Date(ms)
  return Number.isNaN(ms) ||
    Math.abs(ms) > 8.64e15 ||
    date.getUTCFullYear() > 9999 ||
    date.getUTCFullYear() < 1
    ? null
    : date
}
