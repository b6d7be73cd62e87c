import type { Stripe } from 'stripe'
import type { Billing } from '../context.ts'
import { customerOf } from './customer.ts'

const shownStatuses = ['open', 'paid', 'uncollectible'] as const
type ShownStatus = (typeof shownStatuses)[number]

/** An invoice as a list shows it. Amounts are in the currency's smallest unit. */
export interface InvoiceSummary {
  id: string
  /** As the customer’s bookkeeping knows it. */
  number: string | null
  createdAt: Date
  total: number
  /** What is to be paid still. */
  remaining: number
  currency: string
  status: ShownStatus
  /** Stripe’s page, where it can be paid and a bank asks back. Whoever has the address can read the invoice. */
  hostedUrl: string | null
  pdfUrl: string | null
}

/** Undefined for a draft, one that was voided, and what Stripe adds later. */
export function invoiceSummary({
  id,
  number,
  created,
  total,
  amount_remaining: remaining,
  currency,
  status: given,
  hosted_invoice_url: hostedUrl = null,
  invoice_pdf: pdfUrl = null,
}: Stripe.Invoice): InvoiceSummary | undefined {
  const status = shownStatuses.find((shown) => shown === given)
  if (status === undefined) return undefined
  const createdAt = new Date(created * 1000)
  return { id, number, createdAt, total, remaining, currency, status, hostedUrl, pdfUrl }
}

/**
 * The address of the receipt for an account's own invoice; undefined when it is another's, or nothing was paid by card. A list
 * does not have it: it is the charge's.
 */
export async function receiptUrl(
  billing: Billing,
  accountId: string,
  invoiceId: string,
): Promise<string | undefined> {
  const { stripeCustomerId } = await customerOf(billing, accountId)
  const { stripe } = billing
  const { customer } = await retrieved(stripe, invoiceId)
  if ((typeof customer === 'string' ? customer : customer?.id) !== stripeCustomerId) return undefined
  const { data } = await stripe.invoicePayments.list({
    invoice: invoiceId,
    status: 'paid',
    expand: ['data.payment.payment_intent.latest_charge'],
  })
  for (const { payment } of data) {
    const { payment_intent: intent } = payment
    const charge = typeof intent === 'object' ? intent.latest_charge : undefined
    if (typeof charge === 'object' && charge?.receipt_url) return charge.receipt_url
  }
  return undefined
}

async function retrieved(stripe: Stripe, id: string): Promise<Pick<Stripe.Invoice, 'customer'>> {
  try {
    return await stripe.invoices.retrieve(id)
  } catch (error) {
    if ((error as { code?: string }).code !== 'resource_missing') throw error
    return { customer: null }
  }
}
