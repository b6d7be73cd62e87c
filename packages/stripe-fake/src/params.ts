import qs from 'qs'
import { ApiError } from './errors.ts'

/** Parameters as stripe-node sends them: `items[0][price]=…` in a form or in the query. */
export type Params = Record<string, unknown>

export function parseParams(text: string): Params {
  return qs.parse(text, { depth: 8, arrayLimit: 100, parameterLimit: 2000 })
}

export function text(params: Params, name: string): string | undefined {
  const value = params[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function required(params: Params, name: string): string {
  const value = text(params, name)
  if (value === undefined)
    throw new ApiError(400, `Missing required param: ${name}.`, { param: name, code: 'parameter_missing' })
  return value
}

export function whole(params: Params, name: string): number | undefined {
  const value = text(params, name)
  if (value === undefined) return undefined
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new ApiError(400, `Invalid integer: ${value}`, { param: name })
  return number
}

export function flag(params: Params, name: string): boolean | undefined {
  const value = text(params, name)
  return value === undefined ? undefined : value === 'true'
}

export function rows(params: Params, name: string): Params[] {
  const value = params[name]
  if (Array.isArray(value)) return value as Params[]
  return typeof value === 'object' && value !== null ? (Object.values(value) as Params[]) : []
}

export function inner(params: Params, name: string): Params {
  const value = params[name]
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Params) : {}
}

export function metadataOf(params: Params): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inner(params, 'metadata')).map(([key, value]) => [key, String(value)]),
  )
}

/** One page of a list in order of creation, newest first, as Stripe pages it. */
export function page<Item extends { id: string }>(
  items: Item[],
  params: Params,
): { data: Item[]; hasMore: boolean } {
  const limit = Math.min(Math.max(whole(params, 'limit') ?? 10, 1), 100)
  const newest = items.toReversed()
  const after = text(params, 'starting_after')
  const before = text(params, 'ending_before')
  if (before !== undefined) {
    const at = newest.findIndex(({ id }) => id === before)
    const start = Math.max(0, at - limit)
    return { data: newest.slice(start, Math.max(0, at)), hasMore: start > 0 }
  }
  const start = after === undefined ? 0 : newest.findIndex(({ id }) => id === after) + 1
  return { data: newest.slice(start, start + limit), hasMore: start + limit < newest.length }
}
