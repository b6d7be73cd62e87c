import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { deliverTo, serveStripeFake, type StripeFakeServer } from '@outgrow/stripe-fake'

const saveMs = 5000

export interface StandInRequest {
  port: number
  webhookUrl: string
  secret: string
  prices: { id: string; name: string; amount: number }[]
  /** Where it keeps what exists, between starts. */
  path: string
  signal: AbortSignal
}

export interface StandIn extends AsyncDisposable {
  url: string
}

/** A stand-in for Stripe that goes on where it was, with a clock that runs, and delivers to the web app. */
export async function startStandIn(request: StandInRequest): Promise<StandIn> {
  const { port, webhookUrl, secret, prices, path, signal } = request
  const server = await serveStripeFake({
    port,
    webhookSecret: secret,
    now: Math.floor(Date.now() / 1000),
    ...(existsSync(path) ? { saved: readFileSync(path) } : {}),
  })
  const { fake } = server
  for (const price of prices) if (!fake.store.prices.has(price.id)) fake.addPrice(price)
  const clock = setInterval(() => fake.advance(1), 1000)
  const saving = setInterval(() => save(server, path), saveMs)
  const delivering = deliverTo(fake.deliveries, { url: webhookUrl, signal })
  return {
    url: server.url,
    [Symbol.asyncDispose]: async () => {
      clearInterval(clock)
      clearInterval(saving)
      save(server, path)
      await delivering
      await server[Symbol.asyncDispose]()
    },
  }
}

function save({ fake }: StripeFakeServer, path: string): void {
  writeFileSync(`${path}.part`, fake.store.save())
  renameSync(`${path}.part`, path)
}
