import type { Stripe } from 'stripe'

/** What is inside of a field, or of its rows, unless it is an object of the API, which has a row of its own. */
type Inside<Value> = Value extends readonly (infer Row)[]
  ? Inside<Row>
  : Extract<Exclude<NonNullable<Value>, { object: string }>, object>

/** Names of fields as the API has them, three levels down at most. */
type Path<Value, Levels extends 0[] = [0, 0, 0]> = [Value] extends [never]
  ? never
  : Levels extends [0, ...infer Fewer extends 0[]]
    ? {
        [Name in keyof Value & string]: Name | `${Name}.${Path<Inside<Value[Name]>, Fewer>}`
      }[keyof Value & string]
    : never

const of =
  <Value>() =>
  (...fields: Path<Value>[]): readonly string[] =>
    fields

/**
 * Which fields of which object the product reads, by the API's own names: a wrong one does not compile. The stand-in must
 * answer each of them.
 */
export const productReads: Record<string, readonly string[]> = {
  customer: of<Stripe.Customer>()('id', 'email', 'name', 'created', 'metadata', 'livemode'),
  product: of<Stripe.Product>()('id', 'name'),
  price: of<Stripe.Price>()(
    'id',
    'active',
    'currency',
    'product',
    'unit_amount',
    'recurring',
    'recurring.interval',
    'recurring.interval_count',
  ),
  coupon: of<Stripe.Coupon>()('id', 'name', 'percent_off', 'amount_off', 'currency', 'duration', 'valid'),
  promotion_code: of<Stripe.PromotionCode>()(
    'id',
    'code',
    'active',
    'customer',
    'promotion',
    'promotion.coupon',
  ),
  discount: of<Stripe.Discount>()('id', 'start', 'end', 'source', 'source.coupon', 'promotion_code'),
  subscription: of<Stripe.Subscription>()(
    'id',
    'status',
    'customer',
    'created',
    'start_date',
    'currency',
    'billing_cycle_anchor',
    'cancel_at',
    'cancel_at_period_end',
    'canceled_at',
    'cancellation_details',
    'ended_at',
    'trial_start',
    'trial_end',
    'items',
    'latest_invoice',
    'pause_collection',
    'pending_update',
    'schedule',
    'discounts',
    'metadata',
    'livemode',
    'default_payment_method',
    'billing_mode',
    'billing_mode.type',
    'collection_method',
    'default_tax_rates',
    'pending_update.expires_at',
    'pending_update.subscription_items',
  ),
  subscription_item: of<Stripe.SubscriptionItem>()(
    'id',
    'price',
    'quantity',
    'current_period_start',
    'current_period_end',
    'subscription',
    'tax_rates',
  ),
  subscription_schedule: of<Stripe.SubscriptionSchedule>()(
    'id',
    'status',
    'subscription',
    'phases',
    'phases.start_date',
    'phases.items',
    'phases.items.price',
    'phases.items.quantity',
    'metadata',
    'current_phase',
    'current_phase.start_date',
    'current_phase.end_date',
    'end_behavior',
  ),
  invoice: of<Stripe.Invoice>()(
    'id',
    'number',
    'status',
    'customer',
    'created',
    'currency',
    'subtotal',
    'total',
    'amount_due',
    'amount_paid',
    'amount_remaining',
    'starting_balance',
    'total_discount_amounts',
    'attempt_count',
    'attempted',
    'next_payment_attempt',
    'billing_reason',
    'hosted_invoice_url',
    'invoice_pdf',
    'lines',
    'parent',
    'parent.subscription_details',
    'parent.subscription_details.subscription',
    'period_start',
    'period_end',
    'status_transitions',
    'status_transitions.finalized_at',
    'status_transitions.paid_at',
    'livemode',
  ),
  line_item: of<Stripe.InvoiceLineItem>()(
    'id',
    'amount',
    'currency',
    'description',
    'quantity',
    'period',
    'period.start',
    'period.end',
    'pricing',
    'parent',
    'parent.subscription_item_details',
    'parent.subscription_item_details.proration',
  ),
  invoice_payment: of<Stripe.InvoicePayment>()(
    'id',
    'payment',
    'payment.payment_intent',
    'status',
    'amount_paid',
  ),
  payment_intent: of<Stripe.PaymentIntent>()('id', 'status', 'client_secret', 'latest_charge', 'next_action'),
  charge: of<Stripe.Charge>()(
    'id',
    'customer',
    'amount',
    'currency',
    'receipt_url',
    'refunded',
    'payment_intent',
  ),
  refund: of<Stripe.Refund>()('id', 'charge', 'amount', 'status', 'created'),
  dispute: of<Stripe.Dispute>()('id', 'charge', 'status'),
  'checkout.session': of<Stripe.Checkout.Session>()(
    'id',
    'url',
    'status',
    'payment_status',
    'customer',
    'customer_details',
    'subscription',
    'invoice',
    'mode',
    'payment_link',
    'client_reference_id',
    'expires_at',
    'created',
    'metadata',
    'amount_total',
  ),
  'billing_portal.session': of<Stripe.BillingPortal.Session>()('id', 'url'),
  'entitlements.active_entitlement': of<Stripe.Entitlements.ActiveEntitlement>()('id', 'lookup_key'),
  list: of<Stripe.ApiList<unknown>>()('data', 'has_more'),
  event: of<Stripe.Event>()('id', 'type', 'created', 'api_version', 'livemode', 'data', 'data.object'),
}
