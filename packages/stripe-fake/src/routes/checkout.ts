import type { Stripe } from 'stripe'
import { z } from 'zod'
import type { Api } from '../api/api.ts'
import { ApiError } from '../api/errors.ts'
import { isWithin, pageOf } from '../api/page.ts'
import {
  atLeast,
  echoed,
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
import { openSession } from '../billing/checkout.ts'
import type { StripeState } from '../state.ts'
import { known, ownedBy } from '../store.ts'
import { discountRows, prorationBehavior, trialSettings } from './subscription-shapes.ts'

type Create = Stripe.Checkout.SessionCreateParams

/** Options that change how Stripe's page looks or what it asks for: taken, shown again, and without effect here. */
const looks = {
  after_expiration: echoed.optional(),
  allowed_payment_method_types: echoed.optional(),
  automatic_tax: echoed.optional(),
  billing_address_collection: echoed.optional(),
  branding_settings: echoed.optional(),
  consent_collection: echoed.optional(),
  custom_fields: echoed.optional(),
  custom_text: echoed.optional(),
  customer_update: echoed.optional(),
  locale: echoed.optional(),
  name_collection: echoed.optional(),
  phone_number_collection: echoed.optional(),
  saved_payment_method_options: echoed.optional(),
  tax_id_collection: echoed.optional(),
  wallet_options: echoed.optional(),
} satisfies Fields<Create>

const created = shape({
  ...looks,
  mode: oneOf<Stripe.Checkout.SessionCreateParams.Mode>()('subscription'),
  customer: text.optional(),
  customer_email: text.optional(),
  client_reference_id: text.optional(),
  line_items: rows(
    shape({
      price: text,
      quantity: atLeast(0).optional(),
      adjustable_quantity: echoed.optional(),
    } satisfies Fields<Stripe.Checkout.SessionCreateParams.LineItem>),
  ),
  allow_promotion_codes: flag.optional(),
  cancel_url: text.optional(),
  success_url: text.optional(),
  discounts: discountRows.optional(),
  expires_at: integer.optional(),
  metadata: metadata.optional(),
  payment_method_collection: oneOf<Stripe.Checkout.SessionCreateParams.PaymentMethodCollection>()(
    'always',
    'if_required',
  ).optional(),
  ui_mode: oneOf<Stripe.Checkout.SessionCreateParams.UiMode>()('hosted_page').optional(),
  subscription_data: shape({
    billing_cycle_anchor: integer.optional(),
    description: text.optional(),
    metadata: metadata.optional(),
    proration_behavior: prorationBehavior.optional(),
    trial_end: integer.optional(),
    trial_period_days: atLeast(1).optional(),
    trial_settings: trialSettings.optional(),
  } satisfies Fields<Stripe.Checkout.SessionCreateParams.SubscriptionData>).optional(),
} satisfies Fields<Create>)

/** What a customer types in must be allowed to reach the customer that is there. */
function refuseTaxIds(params: z.output<typeof created>): void {
  const asked = z.looseObject({ enabled: flag }).safeParse(params.tax_id_collection).data
  const kept = z.looseObject({ name: z.string() }).safeParse(params.customer_update).data
  if (asked?.enabled !== true || params.customer === undefined || kept?.name === 'auto') return
  throw new ApiError(
    400,
    'Tax ID collection requires updating business name on the customer. To enable tax ID collection for an existing customer, please set `customer_update[name]` to `auto`.',
  )
}

/** Checkout and the portal. */
export function checkoutRoutes({ store, emit, baseUrl }: StripeState, api: Api): void {
  api('post', '/v1/checkout/sessions', created, ({ params }) => {
    const { subscription_data: data = {} } = params
    if (params.success_url === undefined) {
      throw new ApiError(400, 'Missing required param: success_url.', {
        code: 'parameter_missing',
        param: 'success_url',
      })
    }
    refuseTaxIds(params)
    return openSession(store, {
      customer: params.customer,
      customerEmail: params.customer_email,
      clientReferenceId: params.client_reference_id,
      items: params.line_items.map(({ price, quantity = 1 }) => ({ price, quantity })),
      allowPromotionCodes: params.allow_promotion_codes,
      cancelUrl: params.cancel_url,
      successUrl: params.success_url,
      ...(params.discounts === undefined ? {} : { discounts: params.discounts }),
      expiresAt: params.expires_at,
      metadata: params.metadata ?? {},
      paymentMethodCollection: params.payment_method_collection,
      data: {
        trialDays: data.trial_period_days ?? 0,
        trialEnd: data.trial_end,
        anchor: data.billing_cycle_anchor,
        description: data.description,
        metadata: data.metadata ?? {},
        missingPaymentMethod: data.trial_settings?.end_behavior.missing_payment_method,
        prorates: data.proration_behavior !== 'none',
      },
      echoed: Object.fromEntries(
        Object.entries(params).filter(([name]) => name in looks && name !== 'customer_update'),
      ),
    })
  })
  api(
    'get',
    '/v1/checkout/sessions',
    shape({
      ...paging,
      customer: text.optional(),
      payment_link: text.optional(),
      subscription: text.optional(),
      status: oneOf<Stripe.Checkout.SessionListParams.Status>()('complete', 'expired', 'open').optional(),
      created: range.optional(),
    } satisfies Fields<Stripe.Checkout.SessionListParams>),
    ({ params }) => {
      const isOwn = ownedBy(store, params.customer)
      return pageOf(
        store.sessions.values(),
        (one) =>
          isOwn(one) &&
          (params.payment_link === undefined || one.payment_link === params.payment_link) &&
          (params.subscription === undefined || one.subscription === params.subscription) &&
          (params.status === undefined || one.status === params.status) &&
          isWithin(one.created, params.created),
        '/v1/checkout/sessions',
        params,
      )
    },
  )
  api('get', '/v1/checkout/sessions/:id', nothing, ({ id }) => known(store.sessions, 'checkout session', id))
  api('get', '/v1/checkout/sessions/:id/line_items', shape(paging), ({ id, params }) => {
    const lines = known(store.sessionLines, 'checkout session', id)
    return pageOf(lines.toReversed(), () => true, `/v1/checkout/sessions/${id}/line_items`, params)
  })
  api('post', '/v1/checkout/sessions/:id/expire', nothing, ({ id }) => {
    const session = known(store.sessions, 'checkout session', id)
    if (session.status !== 'open') {
      throw new ApiError(
        400,
        `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`,
      )
    }
    session.status = 'expired'
    session.url = null
    emit('checkout.session.expired', session)
    return session
  })
  api(
    'post',
    '/v1/billing_portal/sessions',
    shape({
      customer: text,
      return_url: text.optional(),
      configuration: text.optional(),
      locale: text.optional(),
      flow_data: echoed.optional(),
    } satisfies Fields<Stripe.BillingPortal.SessionCreateParams>),
    ({ params }) => {
      const customer = store.customer(params.customer).id
      const id = store.id('bps')
      const session = {
        id,
        object: 'billing_portal.session',
        created: store.now,
        customer,
        flow: null,
        livemode: false,
        locale: null,
        on_behalf_of: null,
        return_url: params.return_url ?? null,
        url: `${baseUrl}/portal/${id}`,
      } satisfies Partial<Stripe.BillingPortal.Session> as unknown as Stripe.BillingPortal.Session
      store.portals.set(id, session)
      return session
    },
  )
}
