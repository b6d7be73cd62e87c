import type { Hono } from 'hono'
import { ApiError } from '../api/errors.ts'
import type { Fault, Storm } from '../api/faults.ts'
import type { RateLimits } from '../api/limits.ts'
import type { StripeState } from '../state.ts'
import type { Card } from '../store.ts'

/** What no Stripe has: the clock, faults, and outcomes that otherwise only time or a bank decides. */
export function controlRoutes(fake: StripeState, app: Hono): void {
  app.post('/_clock', async (context) => {
    const { advanceSeconds } = (await context.req.json().catch(() => ({}))) as { advanceSeconds?: unknown }
    if (typeof advanceSeconds !== 'number' || !(advanceSeconds >= 0)) {
      throw new ApiError(400, 'Send {"advanceSeconds": n}.', { param: 'advanceSeconds' })
    }
    fake.advance(advanceSeconds)
    return context.json({ now: fake.store.now })
  })
  app.get('/_clock', (context) => context.json({ now: fake.store.now }))
  app.post('/_faults', async (context) => {
    fake.fail(await context.req.json<Fault>())
    return context.json({ ok: true })
  })
  app.post('/_storm', async (context) => {
    fake.storm((await context.req.json<Storm | null>()) ?? undefined)
    return context.json({ ok: true })
  })
  app.post('/_limits', async (context) => {
    fake.limit((await context.req.json<RateLimits | null>()) ?? undefined)
    return context.json({ ok: true })
  })
  app.post('/_cards/:customer', async (context) => {
    const { card } = await context.req.json<{ card: Card }>()
    fake.setCard(context.req.param('customer'), card)
    return context.json({ ok: true })
  })
  app.post('/_refunds/:customer', (context) => context.json(fake.refund(context.req.param('customer')) ?? {}))
  app.post('/_disputes/:customer', (context) =>
    context.json(fake.dispute(context.req.param('customer')) ?? {}),
  )
  app.post('/_resend/:event', (context) => {
    const event = fake.store.events.get(context.req.param('event'))
    if (!event) throw new ApiError(404, 'No such event')
    fake.deliveries.add(event)
    return context.json({ ok: true })
  })
}
