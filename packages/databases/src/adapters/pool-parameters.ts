import { Failure } from '@outgrow/kit'
import type { PostgresUrl } from '../url.ts'

/** A timer that is set for longer goes off at once. */
const longestSeconds = 2_147_483

/**
 * How many connections a pool holds at most: `connection_limit` of the URL.
 * @throws Failure OUTGROW_URL_INVALID
 */
export function connectionLimit(target: PostgresUrl): number {
  return wholeNumber(target, 'connection_limit', { least: 1, most: 100_000 })
}

/**
 * How many seconds a statement waits for a connection of its pool: `pool_timeout` of the URL. With 0 it waits for ever.
 * @throws Failure OUTGROW_URL_INVALID
 */
export function poolTimeoutSeconds(target: PostgresUrl): number {
  return wholeNumber(target, 'pool_timeout', { least: 0, most: longestSeconds })
}

function wholeNumber({ url }: PostgresUrl, name: string, { least, most }: Record<'least' | 'most', number>) {
  const text = url.searchParams.get(name) || '10'
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new Failure({
    code: 'OUTGROW_URL_INVALID',
    message: `${name}=${text} is not a whole number from ${least} to ${most}.`,
    fix: `For example ${name}=10.`,
  })
}
