/**
 * An address that came from Stripe, if it may be shown: https, or a page of the stand-in.
 * @param apiBase `STRIPE_API_BASE`, where a stand-in takes Stripe's place
 */
export function stripeLink(url: string | null | undefined, apiBase: string | undefined): string | undefined {
  const parsed = url === null || url === undefined ? null : URL.parse(url)
  if (!parsed) return undefined
  const isStandIn = apiBase !== undefined && parsed.origin === new URL(apiBase).origin
  return parsed.protocol === 'https:' || isStandIn ? parsed.href : undefined
}
