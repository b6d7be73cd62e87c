import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { StripeFake } from './fake.ts'
import type { StripeFakeOptions } from './state.ts'

export interface StripeFakeServer extends AsyncDisposable {
  fake: StripeFake
  /** What `STRIPE_API_BASE` is set to. */
  url: string
}

/** Serves a stand-in on the loopback interface. Port 0 takes any that is free. */
export async function serveStripeFake(
  options: StripeFakeOptions & { port?: number } = {},
): Promise<StripeFakeServer> {
  let fake: StripeFake | undefined
  const { url, close } = await serveOnLoopback((request) => (fake as StripeFake).fetch(request), options.port)
  fake = new StripeFake({ ...options, baseUrl: url })
  return { fake, url, [Symbol.asyncDispose]: close }
}

/** Serves any Web-standard handler on the loopback interface. */
export async function serveOnLoopback(
  fetch: (request: Request) => Promise<Response>,
  port = 0,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = serve({ fetch, hostname: '127.0.0.1', port })
  await new Promise<void>((resolve, reject) => {
    if (server.listening) resolve()
    server.once('listening', resolve)
    server.once('error', reject)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}
