import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { StripeFake, type StripeFakeOptions } from './fake.ts'

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
  const server = serve({
    fetch: (request) => (fake as StripeFake).fetch(request),
    hostname: '127.0.0.1',
    port: options.port ?? 0,
  })
  await new Promise<void>((resolve, reject) => {
    if (server.listening) resolve()
    server.once('listening', resolve)
    server.once('error', reject)
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  fake = new StripeFake({ ...options, baseUrl: url })
  return {
    fake,
    url,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}
