import type { Stripe } from 'stripe'

/** The customer that an object belongs to, asked of Stripe: thin events and disputes do not name it. */
export async function customerOfObject(stripe: Stripe, id: string | null): Promise<string | undefined> {
  if (id === null) return undefined
  const kind = id.slice(0, id.indexOf('_'))
  const owner = (customer: string | { id: string } | null | undefined) =>
    typeof customer === 'string' ? customer : customer?.id
  const ofCharge = async (charge: string | { id: string } | null) => {
    const chargeId = owner(charge)
    return chargeId === undefined ? undefined : owner((await stripe.charges.retrieve(chargeId)).customer)
  }
  switch (kind) {
    case 'cus':
      return id
    case 'sub':
      return owner((await stripe.subscriptions.retrieve(id)).customer)
    case 'in':
      return owner((await stripe.invoices.retrieve(id)).customer)
    case 'cs':
      return owner((await stripe.checkout.sessions.retrieve(id)).customer)
    case 'ch':
    case 'py':
      return ofCharge(id)
    case 're':
    case 'pyr':
      return ofCharge((await stripe.refunds.retrieve(id)).charge)
    case 'dp':
    case 'du':
      return ofCharge((await stripe.disputes.retrieve(id)).charge)
    default:
      // Not to be taken for nobody's: it is tried again, and in the end shown as dead.
      throw new Error(`cannot determine the customer of object ${id}`)
  }
}
