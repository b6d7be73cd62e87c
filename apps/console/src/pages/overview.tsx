import { billingStatus, type BillingStatus } from '@outgrow/billing'
import type { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { chartData, isMissingTable } from '../chart-data.ts'
import { isRange, ranges } from '../chart-ranges.ts'
import type { Services } from '../services.ts'
import { InboxCounts } from '../views/inbox-counts.tsx'
import { Layout } from '../views/layout.tsx'

/** Undefined in a database that has not the product's inbox. */
async function inboxOf({ billing }: Services): Promise<BillingStatus | undefined> {
  try {
    return await billingStatus(billing)
  } catch (error) {
    if (isMissingTable(error)) return undefined
    throw error
  }
}

/** Where the database stands, and the signs over time. */
export function overviewPages(app: Hono, services: Services): void {
  app.get('/', async (context) => {
    const [{ charts }, status] = await Promise.all([chartData(services, 'minutes', 2), inboxOf(services)])
    return context.html(
      <Layout title="Overview" path="/" topics={['signs', 'inbox']}>
        <h1>Overview</h1>
        <div id="stage">
          <p class="empty">Checking the database …</p>
        </div>
        {status && (
          <section aria-labelledby="queues">
            <h2 id="queues">Inbox and outbox</h2>
            <InboxCounts status={status} />
          </section>
        )}
        <section aria-labelledby="over-time">
          <div class="head">
            <h2 id="over-time">Over time</h2>
            <div class="ranges" role="group" aria-label="How far back">
              {Object.entries(ranges).map(([name, { label }]) => (
                <button type="button" data-range={name} aria-pressed={name === 'minutes' ? 'true' : 'false'}>
                  {label}
                </button>
              ))}
            </div>
          </div>
          <div class="charts">
            {charts.map(({ name, title, unit }) => (
              <figure data-chart={name} data-unit={unit}>
                <figcaption>
                  {title} {unit !== '' && <small>{unit}</small>}
                </figcaption>
                <div class="plot" />
                <p class="last" />
              </figure>
            ))}
          </div>
        </section>
        <div id="signs" />
      </Layout>,
    )
  })

  app.get('/charts/:range', async (context) => {
    const range = context.req.param('range')
    if (!isRange(range)) throw new HTTPException(404, { message: 'There is no such range.' })
    return context.json(await chartData(services, range))
  })
}
