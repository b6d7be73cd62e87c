import type { Stripe } from 'stripe'

/** A page of a list. */
export function list<Item>(data: Item[], url: string, hasMore = false): Stripe.ApiList<Item> {
  return { object: 'list', data, has_more: hasMore, url }
}
