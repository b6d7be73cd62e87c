import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { DelayOptions, Traffic } from './delay-proxy.ts'

export interface ProxyProcess extends AsyncDisposable {
  /** Loopback port to connect to in place of the server's. */
  port: number
  /** What has gone through so far. */
  traffic(): Promise<Traffic>
}

/** Starts the proxy in a process of its own: its work is neither the client's nor the server's. */
export async function startProxyProcess({ port, roundTripMs }: DelayOptions): Promise<ProxyProcess> {
  const child = fork(join(import.meta.dirname, 'delay-proxy-process.ts'), [String(port), String(roundTripMs)])
  const ended = once(child, 'exit')
  const answer = async () => {
    const failed = ended.then(([code]) => {
      throw new Error(`the proxy ended with ${String(code)}`)
    })
    const [message] = (await Promise.race([once(child, 'message'), failed])) as [unknown]
    return message
  }
  const listening = (await answer()) as number
  return {
    port: listening,
    traffic: () => {
      child.send('traffic')
      return answer() as Promise<Traffic>
    },
    [Symbol.asyncDispose]: async () => {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
