import type { Stripe } from 'stripe'
import { list } from '../objects/list.ts'
import { ApiError } from './errors.ts'

export interface Paging {
  limit?: number | undefined
  starting_after?: string | undefined
  ending_before?: string | undefined
}

export interface Range {
  gt?: number | undefined
  gte?: number | undefined
  lt?: number | undefined
  lte?: number | undefined
}

/**
 * One page of what matches, newest first, as Stripe pages it. All are given in order of creation: the object that a page
 * begins after may have ceased to match since.
 */
export function pageOf<Item extends { id: string }>(
  all: Iterable<Item>,
  matches: (item: Item) => boolean,
  url: string,
  { limit = 10, starting_after: after, ending_before: before }: Paging,
): Stripe.ApiList<Item> {
  if (limit < 1 || limit > 100) {
    throw new ApiError(400, 'Invalid integer: limit must be between 1 and 100.', { param: 'limit' })
  }
  const newest = [...all].toReversed()
  const placeOf = (id: string, param: string) => {
    const at = newest.findIndex((item) => item.id === id)
    if (at >= 0) return at
    throw new ApiError(400, `No such object: '${id}'`, { code: 'resource_missing', param })
  }
  if (before !== undefined) {
    const found = newest.slice(0, placeOf(before, 'ending_before')).filter(matches)
    return list(found.slice(-limit), url, found.length > limit)
  }
  const found = newest.slice(after === undefined ? 0 : placeOf(after, 'starting_after') + 1).filter(matches)
  return list(found.slice(0, limit), url, found.length > limit)
}

export function isWithin(at: number, range: Range | undefined): boolean {
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = range ?? {}
  return at > gt && at >= gte && at < lt && at <= lte
}
