/** The events that billing asks Stripe for. Others are stored as ignored. */
export const handledEventTypes = [
  'checkout.session.completed',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
  'checkout.session.expired',
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.deleted',
  'customer.subscription.paused',
  'customer.subscription.resumed',
  'customer.subscription.trial_will_end',
  'invoice.paid',
  'invoice.payment_failed',
  'invoice.payment_action_required',
  'invoice.finalization_failed',
  'charge.refunded',
  'refund.failed',
  'charge.dispute.created',
  'charge.dispute.closed',
  'customer.deleted',
  'entitlements.active_entitlement_summary.updated',
] as const

export type HandledEventType = (typeof handledEventTypes)[number]

export function isHandled(type: string): type is HandledEventType {
  return (handledEventTypes as readonly string[]).includes(type)
}
