/**
 * Whether Stripe refused because it has no such customer, or none any more: lists of what a customer had that was deleted
 * there can be refused, as those of one that belongs to the other mode, live or test, are.
 */
export function isNoCustomer(error: unknown): boolean {
  const { code, param } = (error ?? {}) as { code?: string; param?: string }
  return code === 'resource_missing' && param === 'customer'
}
