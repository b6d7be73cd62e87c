import { deliverTo, type DeliveryOptions } from './deliveries.ts'
import { serveStripeFake } from './server.ts'

export interface StripeFakeRun {
  port: number
  webhookSecret: string
  /** Prices that exist from the start. */
  prices: { id: string; amount: number }[]
  /** Where events go; without it they are only kept. */
  webhook: Omit<DeliveryOptions, 'signal'> | undefined
  signal: AbortSignal
  /** @param url what `STRIPE_API_BASE` is set to */
  onServing(url: string): void
}

/** Serves a stand-in, and delivers its events, until the signal is aborted. */
export async function runStripeFake(run: StripeFakeRun): Promise<void> {
  const { port, webhookSecret, prices, webhook, signal } = run
  const now = Math.floor(Date.now() / 1000)
  await using server = await serveStripeFake({ port, webhookSecret, now })
  for (const { id, amount } of prices) {
    server.fake.addPrice({ id, name: id.replace(/^price_/, ''), amount })
  }
  run.onServing(server.url)
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  if (webhook === undefined) await stopped
  else await deliverTo(server.fake.deliveries, { ...webhook, signal })
}
