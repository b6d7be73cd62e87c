import type { Stripe } from 'stripe'
import type { Api } from '../api/api.ts'
import { ApiError } from '../api/errors.ts'
import { isWithin, pageOf } from '../api/page.ts'
import { atLeast, metadata, nothing, oneOf, paging, range, shape, text, type Fields } from '../api/shapes.ts'
import { refundCharge } from '../billing/refunds.ts'
import type { StripeState } from '../state.ts'
import { known } from '../store.ts'

/** Charges, payment intents, refunds and disputes. */
export function paymentRoutes({ store, emit }: StripeState, api: Api): void {
  const latestCharge = (intent: string | undefined) =>
    intent === undefined
      ? undefined
      : ((known(store.paymentIntents, 'payment_intent', intent).latest_charge as string | null) ?? undefined)
  api('get', '/v1/charges/:id', nothing, ({ id }) => known(store.charges, 'charge', id))
  api(
    'get',
    '/v1/charges',
    shape({
      ...paging,
      customer: text.optional(),
      payment_intent: text.optional(),
      created: range.optional(),
    } satisfies Fields<Stripe.ChargeListParams>),
    ({ params }) =>
      pageOf(
        store.charges.values(),
        (charge) =>
          (params.customer === undefined || charge.customer === params.customer) &&
          (params.payment_intent === undefined || charge.payment_intent === params.payment_intent) &&
          isWithin(charge.created, params.created),
        '/v1/charges',
        params,
      ),
  )
  api('get', '/v1/payment_intents/:id', nothing, ({ id }) =>
    known(store.paymentIntents, 'payment_intent', id),
  )
  api(
    'get',
    '/v1/invoice_payments',
    shape({
      ...paging,
      invoice: text.optional(),
      status: oneOf<Stripe.InvoicePaymentListParams.Status>()('open', 'paid', 'canceled').optional(),
      created: range.optional(),
      payment: shape({
        type: oneOf<Stripe.InvoicePaymentListParams.Payment.Type>()('payment_intent'),
        payment_intent: text.optional(),
      } satisfies Fields<Stripe.InvoicePaymentListParams.Payment>).optional(),
    } satisfies Fields<Stripe.InvoicePaymentListParams>),
    ({ params }) =>
      pageOf(
        store.invoicePayments.values(),
        ({ invoice, status, created, payment }) =>
          (params.invoice === undefined || invoice === params.invoice) &&
          (params.status === undefined || status === params.status) &&
          (params.payment?.payment_intent === undefined ||
            payment.payment_intent === params.payment.payment_intent) &&
          isWithin(created, params.created),
        '/v1/invoice_payments',
        params,
      ),
  )
  api(
    'post',
    '/v1/refunds',
    shape({
      charge: text.optional(),
      payment_intent: text.optional(),
      amount: atLeast(1).optional(),
      reason: oneOf<Stripe.RefundCreateParams.Reason>()(
        'duplicate',
        'fraudulent',
        'requested_by_customer',
      ).optional(),
      metadata: metadata.optional(),
    } satisfies Fields<Stripe.RefundCreateParams>),
    ({ params }) => {
      const { payment_intent: intent, charge = latestCharge(intent) } = params
      if (charge === undefined) {
        throw new ApiError(400, 'One of the following params should be provided: payment_intent or charge.')
      }
      const refund = refundCharge(store, emit, known(store.charges, 'charge', charge), params.amount)
      return Object.assign(refund, { reason: params.reason ?? null, metadata: params.metadata ?? {} })
    },
  )
  api(
    'get',
    '/v1/refunds',
    shape({
      ...paging,
      charge: text.optional(),
      payment_intent: text.optional(),
      created: range.optional(),
    } satisfies Fields<Stripe.RefundListParams>),
    ({ params }) =>
      pageOf(
        store.refunds.values(),
        (refund) =>
          (params.charge === undefined || refund.charge === params.charge) &&
          (params.payment_intent === undefined || refund.payment_intent === params.payment_intent) &&
          isWithin(refund.created, params.created),
        '/v1/refunds',
        params,
      ),
  )
  api('get', '/v1/refunds/:id', nothing, ({ id }) => known(store.refunds, 'refund', id))
  api('get', '/v1/disputes/:id', nothing, ({ id }) => known(store.disputes, 'dispute', id))
}
