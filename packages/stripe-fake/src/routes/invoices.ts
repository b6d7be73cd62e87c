import type { Stripe } from 'stripe'
import { z } from 'zod'
import type { Api } from '../api/api.ts'
import { ApiError } from '../api/errors.ts'
import { isWithin, pageOf } from '../api/page.ts'
import {
  emptyable,
  flag,
  integer,
  nothing,
  oneOf,
  paging,
  range,
  shape,
  text,
  type Fields,
} from '../api/shapes.ts'
import { expirePendingUpdate } from '../billing/change-items.ts'
import { closeInvoice } from '../billing/invoices.ts'
import { payInvoice } from '../billing/pay-invoice.ts'
import { previewInvoice } from '../billing/preview.ts'
import { setStatus } from '../billing/statuses.ts'
import { shownInvoice } from '../objects/shown.ts'
import type { StripeState } from '../state.ts'
import { known, ownedBy, subscriptionOf } from '../store.ts'
import { cancelAt, discountRows, itemRows, now, prorationBehavior } from './subscription-shapes.ts'

type Details = Stripe.InvoiceCreatePreviewParams.SubscriptionDetails

const preview = shape({
  customer: text.optional(),
  subscription: text.optional(),
  preview_mode: oneOf<Stripe.InvoiceCreatePreviewParams.PreviewMode>()('next', 'recurring').optional(),
  discounts: emptyable(discountRows).optional(),
  subscription_details: shape({
    items: itemRows.optional(),
    proration_behavior: prorationBehavior.optional(),
    proration_date: integer.optional(),
    billing_cycle_anchor: z
      .union([
        now,
        z.literal('unchanged'),
        shape({
          type: oneOf<Stripe.InvoiceCreatePreviewParams.SubscriptionDetails.BillingCycleAnchor.Type>()(
            'now',
            'unchanged',
          ),
        }).transform(({ type }) => type),
      ])
      .optional(),
    cancel_at: emptyable(cancelAt).optional(),
    cancel_at_period_end: flag.optional(),
    cancel_now: flag.optional(),
    trial_end: now.or(integer).optional(),
  } satisfies Fields<Details>).optional(),
} satisfies Fields<Stripe.InvoiceCreatePreviewParams>)

export function invoiceRoutes({ store, emit }: StripeState, api: Api): void {
  const invoiceOf = (id: string) => known(store.invoices, 'invoice', id)
  api('post', '/v1/invoices/create_preview', preview, ({ params }) => {
    const { subscription_details: details = {} } = params
    return shownInvoice(
      previewInvoice(store, {
        customer: params.customer,
        subscription: params.subscription,
        isRecurring: params.preview_mode === 'recurring',
        discounts: params.discounts ?? [],
        items: details.items ?? [],
        prorationBehavior: details.proration_behavior,
        prorationDate: details.proration_date,
        resetsAnchor: details.billing_cycle_anchor === 'now',
        ends: endOf(details),
        trialEnd: details.trial_end,
      }),
    )
  })
  api(
    'get',
    '/v1/invoices',
    shape({
      ...paging,
      customer: text.optional(),
      subscription: text.optional(),
      status: oneOf<Stripe.InvoiceListParams.Status>()(
        'draft',
        'open',
        'paid',
        'uncollectible',
        'void',
      ).optional(),
      created: range.optional(),
      collection_method:
        oneOf<Stripe.InvoiceListParams.CollectionMethod>()('charge_automatically').optional(),
    } satisfies Fields<Stripe.InvoiceListParams>),
    ({ params }) => {
      const isOwn = ownedBy(store, params.customer)
      const page = pageOf(
        store.invoices.values(),
        (one) =>
          isOwn(one) &&
          (params.subscription === undefined || subscriptionOf(one) === params.subscription) &&
          (params.status === undefined || one.status === params.status) &&
          isWithin(one.created, params.created),
        '/v1/invoices',
        params,
      )
      return { ...page, data: page.data.map(shownInvoice) }
    },
  )
  api('get', '/v1/invoices/:id', nothing, ({ id }) => shownInvoice(invoiceOf(id)))
  api(
    'get',
    '/v1/invoices/:id/lines',
    shape(paging satisfies Fields<Stripe.InvoiceListLineItemsParams>),
    ({ id, params }) => {
      const lines = invoiceOf(id).lines.data.toReversed()
      return pageOf(lines, () => true, `/v1/invoices/${id}/lines`, params)
    },
  )
  api(
    'post',
    '/v1/invoices/:id/pay',
    shape({
      off_session: flag.optional(),
    } satisfies Fields<Stripe.InvoicePayParams>),
    ({ id }) => shownInvoice(payInvoice(store, emit, invoiceOf(id))),
  )
  api('post', '/v1/invoices/:id/void', nothing, ({ id }) => {
    const invoice = invoiceOf(id)
    refuseClosed(invoice)
    closeInvoice(store, emit, invoice, 'void')
    const state = store.subscriptions.get(subscriptionOf(invoice) ?? '')
    // Without its first invoice a subscription never begins.
    if (state?.object.status === 'incomplete') setStatus(store, emit, state, 'incomplete_expired')
    // The change that waited for its payment is given up with it.
    if (state?.pending?.invoice === invoice.id) expirePendingUpdate(store, emit, state)
    return shownInvoice(invoice)
  })
  api('post', '/v1/invoices/:id/mark_uncollectible', nothing, ({ id }) => {
    const invoice = invoiceOf(id)
    refuseClosed(invoice)
    closeInvoice(store, emit, invoice, 'uncollectible')
    return shownInvoice(invoice)
  })
  api('get', '/v1/invoiceitems/:id', nothing, ({ id }) => known(store.invoiceItems, 'invoice item', id))
  api(
    'get',
    '/v1/invoiceitems',
    shape({
      ...paging,
      customer: text.optional(),
      invoice: text.optional(),
      pending: flag.optional(),
      created: range.optional(),
    } satisfies Fields<Stripe.InvoiceItemListParams>),
    ({ params }) =>
      pageOf(
        store.invoiceItems.values(),
        ({ customer, invoice, date }) =>
          (params.customer === undefined || customer === params.customer) &&
          (params.invoice === undefined || invoice === params.invoice) &&
          (params.pending === undefined || (invoice === null) === params.pending) &&
          isWithin(date, params.created),
        '/v1/invoiceitems',
        params,
      ),
  )
}

function endOf(details: {
  cancel_now?: boolean | undefined
  cancel_at_period_end?: boolean | undefined
  cancel_at?: number | string | null | undefined
}): 'now' | 'period-end' | number | undefined {
  const { cancel_now: now, cancel_at: at, cancel_at_period_end: atEnd } = details
  if (now) return 'now'
  if (typeof at === 'number') return at
  return atEnd || typeof at === 'string' ? 'period-end' : undefined
}

function refuseClosed({ status }: Stripe.Invoice): void {
  if (status === 'open' || status === 'uncollectible') return
  throw new ApiError(400, `You can only pass in open invoices. This invoice isn't open: it is ${status}.`)
}
