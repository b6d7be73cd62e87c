import { once } from 'node:events'
import { createServer } from 'node:net'

/** One that nobody listens on, and that nobody is given who connects. */
export function freePort(): Promise<number> {
  return firstOfFree(1)
}

/** The first of five ports in a row that are free: web, worker, console, stand-in and the metrics of the web app. */
export function freePorts(): Promise<number> {
  return firstOfFree(5)
}

async function firstOfFree(count: number): Promise<number> {
  for (;;) {
    // Below 32,768, where Linux begins to give ports to whoever connects.
    const first = 20_000 + Math.floor(Math.random() * 12_000)
    const ports = Array.from({ length: count }, (_, more) => first + more)
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return first
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const listening = once(server, 'listening').then(
    () => true,
    () => false,
  )
  server.listen(port, '127.0.0.1')
  const answer = await listening
  server.close()
  return answer
}
