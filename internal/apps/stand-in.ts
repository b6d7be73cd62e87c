import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { deliverTo, serveStripeFake, type StripeFakeServer } from '@outgrow/stripe-fake'

const saveMs = 5000

export interface StandInRequest {
  port: number
  webhookUrl: string
  secret: string
  prices: { id: string; name: string; amount: number }[]
  /** Where it keeps what exists, between starts. */
  path: string
}

export interface StandIn extends AsyncDisposable {
  url: string
}

/** A stand-in for Stripe that goes on where it was, with a clock that runs, and delivers to the web app. */
export async function startStandIn(request: StandInRequest): Promise<StandIn> {
  const { port, webhookUrl, secret, prices, path } = request
  const now = Math.floor(Date.now() / 1000)
  const serve = (saved?: Uint8Array) =>
    serveStripeFake({ port, webhookSecret: secret, now, ...(saved ? { saved } : {}) })
  const server = await serve(readSaved(path)).catch((error: unknown) => {
    if ((error as { code?: string }).code === 'EADDRINUSE') throw error
    return serve() // what was saved cannot be read: it begins anew
  })
  const { fake } = server
  fake.advance(Math.max(0, now - fake.store.now)) // time went on while it was away
  for (const price of prices) if (!fake.store.prices.has(price.id)) fake.addPrice(price)
  const clock = setInterval(() => fake.advance(1), 1000)
  const saving = setInterval(() => {
    try {
      save(server, path)
    } catch {
      // A full disk shows elsewhere; the next time may do.
    }
  }, saveMs)
  const stop = new AbortController()
  const delivering = deliverTo(fake.deliveries, { url: webhookUrl, signal: stop.signal })
  return {
    url: server.url,
    [Symbol.asyncDispose]: async () => {
      clearInterval(clock)
      clearInterval(saving)
      stop.abort()
      await delivering
      try {
        save(server, path)
      } finally {
        await server[Symbol.asyncDispose]()
      }
    },
  }
}

/** Undefined when there is none. */
function readSaved(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

function save({ fake }: StripeFakeServer, path: string): void {
  writeFileSync(`${path}.part`, fake.save(), { mode: 0o600 })
  renameSync(`${path}.part`, path)
}
