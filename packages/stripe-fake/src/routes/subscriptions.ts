import type { Stripe } from 'stripe'
import type { z } from 'zod'
import type { Api } from '../api/api.ts'
import { ApiError } from '../api/errors.ts'
import { isWithin, pageOf } from '../api/page.ts'
import {
  atLeast,
  emptyable,
  flag,
  integer,
  metadata,
  nothing,
  oneOf,
  paging,
  range,
  rows,
  shape,
  text,
  type Fields,
} from '../api/shapes.ts'
import { cancel } from '../billing/cancel.ts'
import { firstPeriodEnd } from '../billing/periods.ts'
import { requestPause, resume } from '../billing/pause.ts'
import { subscribe } from '../billing/subscribe.ts'
import { update } from '../billing/update.ts'
import { shownSubscription } from '../objects/shown.ts'
import type { StripeState } from '../state.ts'
import { ownedBy } from '../store.ts'
import {
  cancelAt,
  discountRows,
  itemRows,
  now,
  paymentBehavior,
  prorationBehavior,
  trialSettings,
} from './subscription-shapes.ts'

type Create = Stripe.SubscriptionCreateParams
type Update = Stripe.SubscriptionUpdateParams

const created = shape({
  customer: text,
  items: rows(
    shape({
      price: text,
      quantity: atLeast(0).optional(),
      metadata: metadata.optional(),
    } satisfies Fields<Stripe.SubscriptionCreateParams.Item>),
  ),
  billing_cycle_anchor: integer.optional(),
  cancel_at: integer.optional(),
  cancel_at_period_end: flag.optional(),
  collection_method:
    oneOf<Stripe.SubscriptionCreateParams.CollectionMethod>()('charge_automatically').optional(),
  description: text.optional(),
  discounts: emptyable(discountRows).optional(),
  metadata: metadata.optional(),
  off_session: flag.optional(),
  payment_behavior: paymentBehavior.optional(),
  proration_behavior: prorationBehavior.optional(),
  trial_end: now.or(integer).optional(),
  trial_period_days: atLeast(1).optional(),
  trial_settings: trialSettings.optional(),
} satisfies Fields<Create>)

const updated = shape({
  items: itemRows.optional(),
  billing_cycle_anchor: shape({
    type: oneOf<Stripe.SubscriptionUpdateParams.BillingCycleAnchor.Type>()('now', 'unchanged'),
  }).optional(),
  cancel_at: emptyable(cancelAt).optional(),
  cancel_at_period_end: flag.optional(),
  description: emptyable(text).optional(),
  discounts: emptyable(discountRows).optional(),
  metadata: metadata.optional(),
  off_session: flag.optional(),
  pause_collection: emptyable(
    shape({
      behavior: oneOf<Stripe.SubscriptionUpdateParams.PauseCollection.Behavior>()(
        'keep_as_draft',
        'mark_uncollectible',
        'void',
      ),
      resumes_at: integer.optional(),
    } satisfies Fields<Stripe.SubscriptionUpdateParams.PauseCollection>),
  ).optional(),
  payment_behavior: paymentBehavior.optional(),
  proration_behavior: prorationBehavior.optional(),
  proration_date: integer.optional(),
  trial_end: now.or(integer).optional(),
  trial_settings: trialSettings.optional(),
} satisfies Fields<Update>)

export function subscriptionRoutes(fake: StripeState, api: Api): void {
  const { store, emit } = fake
  api('post', '/v1/subscriptions', created, ({ params }) =>
    shownSubscription(
      subscribe(store, emit, {
        customer: params.customer,
        items: params.items.map(({ price, quantity = 1, metadata }) => ({
          price,
          quantity,
          metadata: metadata ?? {},
        })),
        trialDays: params.trial_period_days ?? 0,
        trialEnd: typeof params.trial_end === 'number' ? params.trial_end : undefined,
        anchor: params.billing_cycle_anchor,
        cancelAt: params.cancel_at,
        cancelAtPeriodEnd: params.cancel_at_period_end,
        description: params.description,
        discounts: params.discounts ?? [],
        metadata: params.metadata ?? {},
        missingPaymentMethod: params.trial_settings?.end_behavior.missing_payment_method,
        paymentBehavior: params.payment_behavior,
        prorates: params.proration_behavior !== 'none',
      }),
    ),
  )
  api(
    'get',
    '/v1/subscriptions',
    shape({
      ...paging,
      customer: text.optional(),
      price: text.optional(),
      status: oneOf<Stripe.SubscriptionListParams.Status>()(
        'active',
        'all',
        'canceled',
        'ended',
        'incomplete',
        'incomplete_expired',
        'past_due',
        'paused',
        'trialing',
        'unpaid',
      ).optional(),
      created: range.optional(),
      current_period_end: range.optional(),
      current_period_start: range.optional(),
    } satisfies Fields<Stripe.SubscriptionListParams>),
    ({ params }) => {
      const isOwn = ownedBy(store, params.customer)
      return pageOf(
        [...store.subscriptions.values()].map(shownSubscription),
        (one) =>
          isOwn(one) &&
          (params.price === undefined || one.items.data.some(({ price }) => price.id === params.price)) &&
          matchesStatus(one.status, params.status) &&
          isWithin(one.created, params.created) &&
          isWithin(firstPeriodEnd(one), params.current_period_end) &&
          isWithin(lastPeriodStart(one), params.current_period_start),
        '/v1/subscriptions',
        params,
      )
    },
  )
  api('get', '/v1/subscriptions/:id', nothing, ({ id }) => shownSubscription(store.subscription(id)))
  api('post', '/v1/subscriptions/:id', updated, ({ id, params }) => {
    const state = store.subscription(id)
    if (params.payment_behavior === 'pending_if_incomplete') refuseWhatCannotWait(params)
    const { pause_collection: pause } = params
    update(store, emit, state, {
      items: params.items,
      resetsAnchor: params.billing_cycle_anchor?.type === 'now',
      cancelAt: params.cancel_at,
      cancelAtPeriodEnd: params.cancel_at_period_end,
      description: params.description,
      discounts: params.discounts,
      metadata: params.metadata,
      pauseCollection: pause && { behavior: pause.behavior, resumes_at: pause.resumes_at ?? null },
      paymentBehavior: params.payment_behavior,
      prorationBehavior: params.proration_behavior,
      prorationDate: params.proration_date,
      trialEnd: params.trial_end,
      trialSettings: params.trial_settings,
    })
    return shownSubscription(state)
  })
  cancelRoute(fake, api)
  api(
    'post',
    '/v1/subscriptions/:id/pause',
    shape({
      type: oneOf<Stripe.SubscriptionPauseParams.Type>()('subscription').optional(),
      invoicing_behavior: oneOf<Stripe.SubscriptionPauseParams.InvoicingBehavior>()(
        'invoice',
        'pending_invoice_item',
      ).optional(),
      bill_for: shape({
        unused_time_from: shape({
          type: oneOf<Stripe.SubscriptionPauseParams.BillFor.UnusedTimeFrom.Type>()(
            'item_current_period_start',
            'none',
            'now',
          ),
        }).optional(),
        outstanding_usage_through: shape({
          type: oneOf<Stripe.SubscriptionPauseParams.BillFor.OutstandingUsageThrough.Type>()('none', 'now'),
        }).optional(),
      } satisfies Fields<Stripe.SubscriptionPauseParams.BillFor>).optional(),
    } satisfies Fields<Stripe.SubscriptionPauseParams>),
    ({ id, params }) => {
      const state = store.subscription(id)
      requestPause(store, emit, state, {
        unusedTimeFrom: params.bill_for?.unused_time_from?.type,
        invoicingBehavior: params.invoicing_behavior,
      })
      return shownSubscription(state)
    },
  )
  api(
    'post',
    '/v1/subscriptions/:id/resume',
    shape({
      billing_cycle_anchor: shape({
        type: oneOf<Stripe.SubscriptionResumeParams.BillingCycleAnchor.Type>()('now', 'unchanged'),
      }).optional(),
      payment_behavior: oneOf<Stripe.SubscriptionResumeParams.PaymentBehavior>()(
        'resume_on_payment_attempt',
        'resume_on_payment_success',
      ).optional(),
      proration_behavior: prorationBehavior.optional(),
    } satisfies Fields<Stripe.SubscriptionResumeParams>),
    ({ id, params }) => {
      const state = store.subscription(id)
      resume(store, emit, state, {
        resetsAnchor: params.billing_cycle_anchor?.type !== 'unchanged',
        paymentBehavior: params.payment_behavior,
        prorationBehavior: params.proration_behavior,
      })
      return shownSubscription(state)
    },
  )
  api(
    'get',
    '/v1/subscription_items',
    shape({ ...paging, subscription: text } satisfies Fields<Stripe.SubscriptionItemListParams>),
    ({ params }) => {
      const all = store.subscription(params.subscription).object.items.data.toReversed()
      return pageOf(all, () => true, '/v1/subscription_items', params)
    },
  )
}

/** What a change that waits for its payment can consist of: prices, quantities, and what Stripe shows in `pending_update`. */
const waiting = new Set([
  'items',
  'items[id]',
  'items[price]',
  'items[quantity]',
  'billing_cycle_anchor',
  'cancel_at_period_end',
  'discounts',
  'metadata',
  'payment_behavior',
  'proration_behavior',
  'proration_date',
  'trial_end',
] satisfies (keyof Update | `items[${keyof Stripe.SubscriptionUpdateParams.Item}]`)[] as string[])

function refuseWhatCannotWait({ items = [], ...others }: z.output<typeof updated>): void {
  const given = (params: object) =>
    Object.entries(params).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  const names = [...given(others), ...items.flatMap((item) => given(item).map((name) => `items[${name}]`))]
  const refused = names.find((name) => !waiting.has(name))
  if (refused === undefined) return
  throw new ApiError(
    400,
    `When \`payment_behavior\` is set to \`pending_if_incomplete\`, you can only pass supported params. \`${refused}\` is not supported.`,
    { param: refused },
  )
}

function cancelRoute({ store, emit }: StripeState, api: Api): void {
  api(
    'delete',
    '/v1/subscriptions/:id',
    shape({
      invoice_now: flag.optional(),
      prorate: flag.optional(),
      cancellation_details: shape({
        comment: emptyable(text).optional(),
        feedback: emptyable(text).optional(),
      } satisfies Fields<Stripe.SubscriptionCancelParams.CancellationDetails>).optional(),
    } satisfies Fields<Stripe.SubscriptionCancelParams>),
    ({ id, params }) => {
      const state = store.subscription(id)
      const { comment = null, feedback = null } = params.cancellation_details ?? {}
      const { prorate: prorates = false, invoice_now: invoicesNow = false } = params
      cancel(store, emit, state, { prorates, invoicesNow, comment, feedback })
      return shownSubscription(state)
    },
  )
}

function lastPeriodStart(subscription: Stripe.Subscription): number {
  return Math.max(...subscription.items.data.map(({ current_period_start: at }) => at))
}

function matchesStatus(status: Stripe.Subscription.Status, wanted: string | undefined): boolean {
  if (wanted === 'all') return true
  if (wanted === undefined) return status !== 'canceled'
  if (wanted === 'ended') return status === 'canceled' || status === 'incomplete_expired'
  return status === wanted
}
