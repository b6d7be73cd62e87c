import type { Stripe } from 'stripe'
import type { Seconds } from '../clock.ts'
import { list } from './list.ts'

/** One amount of an invoice, before it has an id. */
export interface Line {
  amount: number
  description: string
  price: Stripe.Price
  quantity: number
  period: { start: Seconds; end: Seconds }
  /** Undefined in the preview of a subscription that does not exist yet. */
  subscription: string | undefined
  item: string
  proration: boolean
  /** The pending invoice item that became this line. */
  invoiceItem: string | null
}

export function lineObject(id: string, invoice: string, line: Line): Stripe.InvoiceLineItem {
  const { amount, description, price, quantity, period, subscription, item, proration, invoiceItem } = line
  return {
    id,
    object: 'line_item',
    amount,
    currency: price.currency,
    description,
    discount_amounts: [],
    discountable: !proration,
    discounts: [],
    invoice,
    livemode: false,
    metadata: {},
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: invoiceItem,
        proration,
        proration_details: proration ? { credited_items: null } : null,
        subscription: subscription ?? null,
        subscription_item: item,
      },
      type: 'subscription_item_details',
    },
    period,
    pretax_credit_amounts: [],
    pricing: {
      price_details: { price: price.id, product: price.product as string },
      type: 'price_details',
      unit_amount_decimal: null,
    },
    quantity,
    quantity_decimal: null,
    subscription: subscription ?? null,
    subtotal: amount,
    taxes: [],
  } satisfies Stripe.InvoiceLineItem
}

export interface InvoiceFacts {
  id: string
  created: Seconds
  customer: Stripe.Customer
  currency: string
  subscription: { id: string; metadata: Stripe.Metadata } | undefined
  reason: Stripe.Invoice.BillingReason
  lines: Stripe.InvoiceLineItem[]
  discounts: string[]
  discountAmounts: { amount: number; discount: string }[]
}

/** A draft: it has no number, no page, and nothing is due yet. */
export function invoiceObject(facts: InvoiceFacts): Stripe.Invoice {
  const { id, created, customer, currency, subscription, reason, lines, discounts, discountAmounts } = facts
  const subtotal = lines.reduce((sum, { amount }) => sum + amount, 0)
  const total = subtotal - discountAmounts.reduce((sum, { amount }) => sum + amount, 0)
  // What the customer has as credit is used, and a negative total becomes credit.
  const due = Math.max(0, total + Math.min(0, customer.balance))
  return {
    id,
    object: 'invoice',
    amount_due: due,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: due,
    amount_shipping: 0,
    attempt_count: 0,
    attempted: false,
    auto_advance: true,
    automatically_finalizes_at: null,
    billing_reason: reason,
    collection_method: 'charge_automatically',
    created,
    currency,
    customer: customer.id,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    default_payment_method: null,
    description: null,
    discounts,
    due_date: null,
    effective_at: null,
    ending_balance: null,
    footer: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    last_finalization_error: null,
    lines: list(lines, `/v1/invoices/${id}/lines`),
    livemode: false,
    metadata: {},
    next_payment_attempt: null,
    number: null,
    parent: subscription
      ? {
          type: 'subscription_details',
          quote_details: null,
          subscription_details: { metadata: subscription.metadata, subscription: subscription.id },
        }
      : null,
    period_end: created,
    period_start: created,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    starting_balance: customer.balance,
    statement_descriptor: null,
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal,
    subtotal_excluding_tax: subtotal,
    test_clock: null,
    total,
    total_discount_amounts: discountAmounts,
    total_excluding_tax: total,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
  } satisfies Partial<Stripe.Invoice> as unknown as Stripe.Invoice
}

/** An amount that waits for the subscription's next invoice. */
export function invoiceItemObject(id: string, at: Seconds, customer: string, line: Line): Stripe.InvoiceItem {
  const { amount, description, price, quantity, period, subscription, item } = line
  return {
    id,
    object: 'invoiceitem',
    amount,
    currency: price.currency,
    customer,
    customer_account: null,
    date: at,
    description,
    discountable: false,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: {},
    parent: {
      subscription_details: { subscription: subscription ?? '', subscription_item: item },
      type: 'subscription_details',
    },
    period,
    pricing: {
      price_details: { price: price.id, product: price.product as string },
      type: 'price_details',
      unit_amount_decimal: null,
    },
    proration: true,
    proration_details: { credited_items: null, discount_amounts: [] },
    quantity,
    tax_rates: [],
    test_clock: null,
  } satisfies Partial<Stripe.InvoiceItem> as unknown as Stripe.InvoiceItem
}
