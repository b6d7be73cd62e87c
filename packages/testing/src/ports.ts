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

/** Below 32,768, where Linux begins to give ports to whoever connects; and of each of vitest's workers alone. */
const rangeSize = 3000
const rangeStart = 20_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % 4) * rangeSize
/** What is free now may have been given to somebody who has not taken it yet. */
const given = new Set<number>()

async function firstOfFree(count: number): Promise<number> {
  for (;;) {
    const first = rangeStart + Math.floor(Math.random() * (rangeSize - count))
    const ports = Array.from({ length: count }, (_, more) => first + more)
    if (ports.some((port) => given.has(port))) continue
    for (const port of ports) given.add(port)
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
