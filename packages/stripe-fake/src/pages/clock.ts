import type { Hono } from 'hono'
import { html } from 'hono/html'
import { ApiError } from '../api/errors.ts'
import { nextRenewal } from '../billing/due.ts'
import { day, type Seconds } from '../clock.ts'
import type { StripeState } from '../state.ts'
import type { Store } from '../store.ts'
import { choices, layout, pathOf } from './layout.ts'

/** Where time can be made to pass. */
export function clockPages(fake: StripeState, app: Hono): void {
  const { store } = fake
  app.get('/clock', (context) => {
    const { renewal, trialEnd } = ahead(store)
    const button = (value: string, label: string, at: Seconds | undefined): [string, string][] =>
      at === undefined ? [] : [[value, `${label} (${timeText(at)})`]]
    return context.html(
      layout(
        store,
        'Clock',
        html`<p>It is <strong>${timeText(store.now)}</strong> here.</p>
          ${choices('to', [
            ['day', 'A day further'],
            ['week', 'A week further'],
            ...button('renewal', 'To the next renewal', renewal),
            ...button('trial-end', 'To the end of a trial', trialEnd),
          ])}
          <p>Time only moves forward. Whatever falls due on the way happens.</p>`,
      ),
    )
  })
  app.post('/clock', async (context) => {
    const { to } = await context.req.parseBody()
    const { renewal, trialEnd } = ahead(store)
    const times = new Map<unknown, Seconds | undefined>([
      ['day', store.now + day],
      ['week', store.now + 7 * day],
      ['renewal', renewal],
      ['trial-end', trialEnd],
    ])
    if (!times.has(to)) throw new ApiError(400, 'The clock has no such button.')
    fake.advance(Math.max(0, (times.get(to) ?? store.now) - store.now))
    return context.redirect(pathOf(store, '/clock'), 303)
  })
}

function ahead(store: Store): { renewal: Seconds | undefined; trialEnd: Seconds | undefined } {
  const states = [...store.subscriptions.values()]
  const first = (times: (Seconds | undefined)[]) =>
    times.filter((at) => at !== undefined).toSorted((a, b) => a - b)[0]
  const isTrial = ({ object }: (typeof states)[number]) => object.status === 'trialing'
  return {
    renewal: first(states.filter((state) => !isTrial(state)).map(nextRenewal)),
    trialEnd: first(states.filter(isTrial).map(nextRenewal)),
  }
}

function timeText(at: Seconds): string {
  return `${new Date(at * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
