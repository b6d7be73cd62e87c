import type { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { chartData } from '../chart-data.ts'
import { isRange, ranges } from '../chart-ranges.ts'
import type { Services } from '../services.ts'
import { Layout } from '../views/layout.tsx'

/** Where the database stands, and the signs over time. */
export function overviewPages(app: Hono, services: Services): void {
  app.get('/', async (context) => {
    const { charts } = await chartData(services, 'minutes', 2)
    return context.html(
      <Layout title="Overview" path="/" topics={['signs']}>
        <h1>Overview</h1>
        <div id="stage">
          <p class="empty">Looking at the database …</p>
        </div>
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
