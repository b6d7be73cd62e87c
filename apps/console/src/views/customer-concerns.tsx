import type { BillingStatus } from '@outgrow/billing'

/** Customers who pay for nothing, or twice, and what to do; nothing where there are none. */
export function CustomerConcerns({ status }: { status: BillingStatus }) {
  const { unlinkedPayers, outsidePlans, doubleSubscriptions } = status
  if (unlinkedPayers.length + outsidePlans.length + doubleSubscriptions.length === 0) return null
  return (
    <section aria-labelledby="concerns">
      <h2 id="concerns">Needs a person</h2>
      <ol class="timeline">
        {unlinkedPayers.map(({ stripeCustomerId, subscriptions }) => (
          <li class="bad">
            <span>
              <code>{stripeCustomerId}</code> pays and belongs to no account ({subscriptions.join(', ')}):{' '}
              <code>outgrow billing link</code>
            </span>
          </li>
        ))}
        {outsidePlans.map(({ accountId, subscription, prices }) => (
          <li class="bad">
            <span>
              Account <Account id={accountId} /> pays for what no plan gives: <code>{subscription}</code> at{' '}
              {prices.join(', ')}. Add the price to a plan.
            </span>
          </li>
        ))}
        {doubleSubscriptions.map(({ accountId, subscriptions }) => (
          <li class="bad">
            <span>
              Account <Account id={accountId} /> pays twice: {subscriptions.join(', ')}. End and refund one.
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}

function Account({ id }: { id: string }) {
  return <a href={`/subscriptions?q=${encodeURIComponent(id)}`}>{id}</a>
}
