import { assertNever } from '@outgrow/kit'
import type { Kind } from './schema.ts'

/** Json with sorted keys and without spaces. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    one !== null && typeof one === 'object' && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  )
}

/** A decimal without zeros that mean nothing, and without an exponent. */
export function canonicalDecimal(value: string | number | bigint): string {
  const [, sign = '', whole = '', part = '', exponent = '0'] =
    /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(String(value)) ?? []
  const shift = Number(exponent)
  const digits = whole + part
  const point = whole.length + shift
  const padded = point < 0 ? '0'.repeat(-point) + digits : digits.padEnd(point, '0')
  const at = Math.max(point, 0)
  const integer = padded.slice(0, at).replace(/^0+/, '') || '0'
  const fraction = padded.slice(at).replace(/0+$/, '')
  const text = fraction === '' ? integer : `${integer}.${fraction}`
  return sign === '-' && text !== '0' ? `-${text}` : text
}

/** What the drivers give. */
export type Value = string | number | bigint | boolean | Date | Buffer | null | undefined

/** A value of either database, as both would write it. SQLite's Json is asked for as text, its integers as bigints. */
export function canonical(kind: Kind, value: Value): string | null {
  if (value === null || value === undefined) return null
  if (kind === 'bytes') return (value as Buffer).toString('hex')
  const text = value instanceof Date ? value.toISOString() : value.toString()
  switch (kind) {
    case 'int':
    case 'text':
      return text
    case 'bool':
      return text === '1' || text === 'true' ? 'true' : 'false'
    case 'real':
      return String(Number(text) + 0)
    case 'decimal':
      return canonicalDecimal(text)
    case 'json':
      return canonicalJson(JSON.parse(text))
    case 'time':
      return timeText(text)
    default:
      return assertNever(kind)
  }
}

/** Of SQLite's CURRENT_TIMESTAMP, of ISO 8601 and of what Postgres prints in UTC. */
function timeText(printed: string): string {
  const text = printed.replace(' ', 'T').replace(/[+-]00(:?00)?$/, 'Z')
  return new Date(text.endsWith('Z') ? text : `${text}Z`).toISOString()
}
