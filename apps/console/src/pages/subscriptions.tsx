import { billingStatus, reconcile } from '@outgrow/billing'
import { containsText, type Prisma } from '@outgrow/db'
import type { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Services } from '../services.ts'
import { CustomerConcerns } from '../views/customer-concerns.tsx'
import { Layout } from '../views/layout.tsx'
import { Moment, momentText } from '../views/moment.tsx'

const shown = {
  account: { select: { id: true, name: true, entitlements: true } },
  subscriptions: {
    orderBy: { startedAt: 'desc' },
    include: { history: { orderBy: { id: 'asc' } }, items: { include: { plan: true } } },
  },
} satisfies Prisma.BillingCustomerInclude

type Customer = Prisma.BillingCustomerGetPayload<{ include: typeof shown }>

/** Customers, and one customer's timeline of states with the events they came from. */
export function subscriptionPages(app: Hono, { database, billing, stripe, log }: Services): void {
  const { client } = database

  app.get('/subscriptions', async (context) => {
    const text = (context.req.query('q') ?? '').trim().slice(0, 100)
    const customers = await client.billingCustomer.findMany({
      where:
        text === ''
          ? {}
          : {
              OR: [
                { stripeCustomerId: text },
                { accountId: text },
                { email: containsText(database, text) },
                { account: { name: containsText(database, text) } },
                { subscriptions: { some: { stripeSubscriptionId: text } } },
              ],
            },
      orderBy: { updatedAt: 'desc' },
      take: 50,
      include: { account: { select: { name: true } }, subscriptions: { orderBy: { startedAt: 'desc' } } },
    })
    const unexpected = await client.subscriptionTransition.findMany({
      where: { expected: false },
      orderBy: { id: 'desc' },
      take: 10,
      include: { subscription: { select: { customerId: true, stripeSubscriptionId: true } } },
    })
    const status = await billingStatus(billing)
    return context.html(
      <Layout title="Subscriptions" path="/subscriptions">
        <h1>Subscriptions</h1>
        <CustomerConcerns status={status} />
        <form class="filters" role="search">
          <label>
            Account, e-mail, customer or subscription id
            <input type="search" name="q" value={text} />
          </label>
          <button>Search</button>
        </form>
        {customers.length === 0 ? (
          <p class="empty">No such customer.</p>
        ) : (
          <div class="scroll" role="region" aria-label="Customers" tabindex={0}>
            <table>
              <thead>
                <tr>
                  <th scope="col">Account</th>
                  <th scope="col">Customer</th>
                  <th scope="col">E-mail</th>
                  <th scope="col">State</th>
                </tr>
              </thead>
              <tbody>
                {customers.map((customer) => (
                  <tr>
                    <th scope="row">
                      <a href={`/subscriptions/${customer.id}`}>{customer.account.name}</a>
                    </th>
                    <td>
                      <code>{customer.stripeCustomerId}</code>
                    </td>
                    <td>{customer.email}</td>
                    <td>
                      {customer.subscriptions.map(({ stripeStatus }) => stripeStatus).join(', ') ||
                        'no subscription'}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {unexpected.length > 0 && (
          <section aria-labelledby="unexpected">
            <h2 id="unexpected">Unexpected transitions</h2>
            <ol class="timeline">
              {unexpected.map((move) => (
                <li class="bad">
                  <Moment at={move.observedAt} />
                  <span>
                    <a href={`/subscriptions/${move.subscription.customerId}`}>
                      {move.subscription.stripeSubscriptionId}
                    </a>{' '}
                    {move.from ?? 'nothing'} → {move.to}
                  </span>
                </li>
              ))}
            </ol>
          </section>
        )}
      </Layout>,
    )
  })

  app.get('/subscriptions/:id', async (context) => {
    const customer = await found(context.req.param('id'))
    const events = await client.webhookEvent.findMany({
      where: { customerId: customer.stripeCustomerId },
      orderBy: { id: 'desc' },
      take: 200,
      select: { id: true, stripeEventId: true, type: true },
    })
    const done = context.req.query('reconciled')
    const notice =
      done === undefined
        ? undefined
        : done === '0'
          ? 'Compared with Stripe: no differences.'
          : `Compared with Stripe: ${Number(done) || 0} differences were corrected.`
    return context.html(
      <CustomerPage
        customer={customer}
        events={events}
        notice={notice}
        canReconcile={stripe !== undefined}
      />,
    )
  })

  app.post('/subscriptions/:id/reconcile', async (context) => {
    const { id, stripeCustomerId } = await found(context.req.param('id'))
    if (!stripe) throw new HTTPException(503, { message: 'Set STRIPE_SECRET_KEY to reconcile.' })
    const { drift, failures } = await reconcile(
      { store: billing, stripe },
      { customers: [stripeCustomerId], days: 1 },
    )
    const [failure] = failures
    if (failure)
      throw new HTTPException(503, { message: `The comparison with Stripe failed: ${failure.error}` })
    const differences = drift.flatMap((one) => one.differences).length
    log.info({ stripeCustomerId, differences }, 'reconciled')
    return context.redirect(`/subscriptions/${id}?reconciled=${differences}`, 303)
  })

  async function found(id: string): Promise<Customer> {
    const customer = await client.billingCustomer.findUnique({
      where: { id: id.slice(0, 100) },
      include: shown,
    })
    if (!customer) throw new HTTPException(404, { message: 'There is no such customer.' })
    return customer
  }
}

interface CustomerProps {
  customer: Customer
  events: { id: number; stripeEventId: string; type: string }[]
  notice: string | undefined
  canReconcile: boolean
}

function CustomerPage({ customer, events, notice, canReconcile }: CustomerProps) {
  const byId = new Map(events.map((event) => [event.stripeEventId, event]))
  return (
    <Layout title={customer.account.name} path="/subscriptions" notice={notice}>
      <h1>{customer.account.name}</h1>
      <p>
        <code>{customer.stripeCustomerId}</code> {customer.email}{' '}
        {customer.deleted && <b>deleted at Stripe</b>}
      </p>
      <p class="quiet">
        Synchronization {customer.appliedSeq} of {customer.syncSeq} is applied; one overtaken by a later one
        is not written.
      </p>
      <form method="post" action={`/subscriptions/${customer.id}/reconcile`}>
        <button disabled={!canReconcile}>Compare with Stripe and correct</button>
      </form>
      {customer.subscriptions.map((subscription) => (
        <section aria-label={subscription.stripeSubscriptionId}>
          <h2>
            {subscription.items.map(({ plan, stripePriceId }) => plan?.name ?? stripePriceId).join(', ')}:{' '}
            {subscription.stripeStatus}
          </h2>
          <p class="quiet">
            <code>{subscription.stripeSubscriptionId}</code>
            {subscription.cancelAt && `, ends ${momentText(subscription.cancelAt.toISOString())}`}
            {subscription.endedAt && `, ended ${momentText(subscription.endedAt.toISOString())}`}
          </p>
          <ol class="timeline">
            {subscription.history.map((move) => {
              const event = move.stripeEventId === null ? undefined : byId.get(move.stripeEventId)
              return (
                <li class={move.expected ? '' : 'bad'}>
                  <Moment at={move.observedAt} />
                  <span>
                    <b>{move.to}</b> {move.from !== null && `after ${move.from}`}{' '}
                    {!move.expected && <em>unexpected</em>}{' '}
                    <small class="quiet">
                      {event ? (
                        <a href={`/webhooks/${event.id}`}>{event.type}</a>
                      ) : (
                        'found by a synchronization'
                      )}
                    </small>
                  </span>
                </li>
              )
            })}
          </ol>
        </section>
      ))}
      <section aria-labelledby="may-use">
        <h2 id="may-use">What the account can use</h2>
        {customer.account.entitlements.length === 0 ? (
          <p class="empty">Only what is free.</p>
        ) : (
          <ul class="plain">
            {customer.account.entitlements.map(({ feature, limit, expiresAt }) => (
              <li>
                {feature}
                {limit === null ? '' : `: ${limit}`}
                {expiresAt && (
                  <span class="quiet">
                    {' '}
                    until <Moment at={expiresAt} />
                  </span>
                )}
              </li>
            ))}
          </ul>
        )}
      </section>
      <section aria-labelledby="events">
        <h2 id="events">Events</h2>
        <p>
          <a href={`/webhooks?about=${customer.stripeCustomerId}`}>
            {events.length} events about this customer
          </a>
        </p>
      </section>
    </Layout>
  )
}
