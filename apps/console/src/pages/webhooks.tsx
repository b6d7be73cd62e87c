import { billingStatus, replay, replayOutbox } from '@outgrow/billing'
import { EventStatus, type Prisma } from '@outgrow/db'
import type { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Services } from '../services.ts'
import { InboxCounts } from '../views/inbox-counts.tsx'
import { Layout } from '../views/layout.tsx'
import { Moment } from '../views/moment.tsx'

const perPage = 50

type Event = Prisma.WebhookEventGetPayload<{ omit: { payload: true } }>

/** The inbox with filters, one event's life, replay. */
export function webhookPages(app: Hono, { database, billing, log }: Services): void {
  const { client } = database

  app.get('/webhooks', async (context) => {
    const filter = {
      status: context.req.query('status') ?? '',
      type: (context.req.query('type') ?? '').trim().slice(0, 100),
      about: (context.req.query('about') ?? '').trim().slice(0, 100),
    }
    const before = Number(context.req.query('before') ?? '')
    const where: Prisma.WebhookEventWhereInput = {
      ...(Object.hasOwn(EventStatus, filter.status) ? { status: filter.status as EventStatus } : {}),
      ...(filter.type === '' ? {} : { type: { startsWith: filter.type } }),
      ...(filter.about === ''
        ? {}
        : {
            OR: [{ customerId: filter.about }, { objectId: filter.about }, { stripeEventId: filter.about }],
          }),
      ...(Number.isInteger(before) && before > 0 && before < 2 ** 31 ? { id: { lt: before } } : {}),
    }
    const [events, status] = await Promise.all([
      client.webhookEvent.findMany({
        where,
        orderBy: { id: 'desc' },
        take: perPage + 1,
        omit: { payload: true },
      }),
      billingStatus(billing),
    ])
    const replayed = context.req.query('replayed')
    const notice = replayed === undefined ? undefined : `${Number(replayed) || 0} put back into the queue.`
    const older = events.length > perPage ? events[perPage - 1]?.id : undefined
    const query = new URLSearchParams({
      ...filter,
      ...(older === undefined ? {} : { before: String(older) }),
    })
    return context.html(
      <Layout title="Webhooks" path="/webhooks" topics={['inbox']} notice={notice}>
        <h1>Webhooks</h1>
        <InboxCounts status={status} />
        <form class="filters">
          <label>
            Status
            <select name="status">
              <option value="">Any</option>
              {Object.keys(EventStatus).map((name) => (
                <option value={name} selected={name === filter.status}>
                  {name.toLowerCase()}
                </option>
              ))}
            </select>
          </label>
          <label>
            Type begins with
            <input name="type" value={filter.type} placeholder="customer.subscription" />
          </label>
          <label>
            Customer, object or event id
            <input name="about" value={filter.about} placeholder="cus_…" />
          </label>
          <button>Filter</button>
        </form>
        {status.events.DEAD > 0 && (
          <form method="post" action="/webhooks/replay-dead">
            <button>Replay all {status.events.DEAD} dead letters</button>
          </form>
        )}
        {status.outbox.dead > 0 && (
          <form method="post" action="/webhooks/replay-messages">
            <button>Resend all {status.outbox.dead} abandoned messages</button>
          </form>
        )}
        <Events events={events.slice(0, perPage)} />
        {older !== undefined && (
          <p>
            <a href={`/webhooks?${query}`}>Older</a>
          </p>
        )}
      </Layout>,
    )
  })

  app.post('/webhooks/replay-dead', async (context) => {
    const count = await replay(billing, { dead: true })
    log.info({ count }, 'dead letters replayed')
    return context.redirect(`/webhooks?replayed=${count}`, 303)
  })

  app.post('/webhooks/replay-messages', async (context) => {
    const count = await replayOutbox(billing)
    log.info({ count }, 'messages put back')
    return context.redirect(`/webhooks?replayed=${count}`, 303)
  })

  app.get('/webhooks/:id', async (context) => {
    const event = await found(context.req.param('id'))
    const [moves, customer] = await Promise.all([
      client.subscriptionTransition.findMany({
        where: { stripeEventId: event.stripeEventId },
        include: { subscription: { select: { stripeSubscriptionId: true } } },
      }),
      event.customerId === null
        ? null
        : client.billingCustomer.findUnique({ where: { stripeCustomerId: event.customerId } }),
    ])
    const notice = context.req.query('replayed') === undefined ? undefined : 'Put back into the queue.'
    return context.html(
      <Layout title={event.type} path="/webhooks" notice={notice}>
        <h1>{event.type}</h1>
        <p>
          <code>{event.stripeEventId}</code> <Status event={event} />
        </p>
        <h2>Timeline</h2>
        <ol class="timeline">
          {timelineOf(event).map(({ at, text }) => (
            <li>
              {at ? <Moment at={at} /> : <time />}
              <span>{text}</span>
            </li>
          ))}
          {moves.map((move) => (
            <li class={move.expected ? '' : 'bad'}>
              <Moment at={move.observedAt} />
              <span>
                <code>{move.subscription.stripeSubscriptionId}</code> went from {move.from ?? 'nothing'} to{' '}
                {move.to}
              </span>
            </li>
          ))}
        </ol>
        <dl>
          <dt>About</dt>
          <dd>
            <code>{event.objectId}</code>
          </dd>
          <dt>Customer</dt>
          <dd>
            {customer ? (
              <a href={`/subscriptions/${customer.id}`}>{event.customerId}</a>
            ) : (
              (event.customerId ?? 'not named')
            )}
          </dd>
          <dt>API version</dt>
          <dd>{event.apiVersion ?? 'none'}</dd>
          <dt>Source</dt>
          <dd>{event.source}</dd>
        </dl>
        {event.lastError !== null && (
          <p class="error" role="note">
            {event.lastError}
          </p>
        )}
        {event.status !== EventStatus.PENDING && event.status !== EventStatus.PROCESSING && (
          <form method="post" action={`/webhooks/${event.id}/replay`}>
            <button>Replay</button>
          </form>
        )}
        <details>
          <summary>Signed payload</summary>
          <pre>{event.payload}</pre>
        </details>
      </Layout>,
    )
  })

  app.post('/webhooks/:id/replay', async (context) => {
    const { id, stripeEventId } = await found(context.req.param('id'))
    await replay(billing, { ids: [stripeEventId] })
    log.info({ stripeEventId }, 'replayed')
    return context.redirect(`/webhooks/${id}?replayed`, 303)
  })

  async function found(id: string) {
    const event = /^\d{1,9}$/.test(id)
      ? await client.webhookEvent.findUnique({ where: { id: Number(id) } })
      : null
    if (!event) throw new HTTPException(404, { message: 'There is no such event.' })
    return event
  }
}

function Events({ events }: { events: Event[] }) {
  if (events.length === 0) return <p class="empty">No such events.</p>
  return (
    <div class="scroll" role="region" aria-label="Events" tabindex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Received</th>
            <th scope="col">Type</th>
            <th scope="col">Status</th>
            <th scope="col">Attempts</th>
            <th scope="col">Customer</th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr>
              <td>
                <Moment at={event.receivedAt} />
              </td>
              <th scope="row">
                <a href={`/webhooks/${event.id}`}>{event.type}</a>
              </th>
              <td>
                <Status event={event} />
              </td>
              <td>{event.attempts}</td>
              <td>
                <code>{event.customerId}</code>
              </td>
              <td>{event.lastError ?? event.outcome}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const statusLevels: Record<EventStatus, string> = {
  PENDING: 'watch',
  PROCESSING: 'watch',
  DONE: 'fine',
  IGNORED: '',
  DEAD: 'graduate',
}

function Status({ event }: { event: Pick<Event, 'status'> }) {
  return <span class={`level ${statusLevels[event.status]}`}>{event.status.toLowerCase()}</span>
}

function timelineOf(event: Event): { at: Date | null; text: string }[] {
  const { stripeCreatedAt, receivedAt, attempts, leaseUntil, processedAt, status } = event
  return [
    ...(stripeCreatedAt ? [{ at: stripeCreatedAt, text: 'happened at Stripe' }] : []),
    { at: receivedAt, text: 'received and stored' },
    ...(attempts > 0 ? [{ at: null, text: attempts === 1 ? 'tried once' : `tried ${attempts} times` }] : []),
    ...(status === EventStatus.PROCESSING && leaseUntil
      ? [{ at: leaseUntil, text: 'claimed by a worker until then' }]
      : []),
    ...(status === EventStatus.PENDING ? [{ at: event.nextAttemptAt, text: 'next attempt' }] : []),
    ...(processedAt ? [{ at: processedAt, text: event.outcome ?? status.toLowerCase() }] : []),
    ...(status === EventStatus.DEAD ? [{ at: null, text: 'abandoned' }] : []),
  ]
}
