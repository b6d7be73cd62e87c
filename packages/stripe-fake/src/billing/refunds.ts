import type { Stripe } from 'stripe'
import { ApiError } from '../api/errors.ts'
import type { Emitter } from '../emitter.ts'
import { refundObject } from '../objects/charge.ts'
import type { Store } from '../store.ts'

/** Gives back a charge, or a part of it. */
export function refundCharge(
  store: Store,
  emit: Emitter,
  charge: Stripe.Charge,
  amount = charge.amount - charge.amount_refunded,
): Stripe.Refund {
  if (charge.refunded) {
    throw new ApiError(400, `Charge ${charge.id} has already been refunded.`, {
      code: 'charge_already_refunded',
    })
  }
  if (amount > charge.amount - charge.amount_refunded) {
    throw new ApiError(400, 'Refund amount is greater than unrefunded amount on charge.', { param: 'amount' })
  }
  const refund = refundObject(store.id('re'), store.now, charge, amount)
  store.refunds.set(refund.id, refund)
  charge.amount_refunded += amount
  charge.refunded = charge.amount_refunded === charge.amount
  emit('charge.refunded', charge)
  return refund
}
