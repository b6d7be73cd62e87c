import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '@outgrow/kit'
import { connectTimeoutMs } from './address.ts'
import { providerOf } from './providers/find.ts'
import type { PostgresUrl } from './url.ts'

/** How a server that is about to answer says so. */
const startingUp = '57P03'
const asleep = /^(ECONNREFUSED|ECONNRESET|57P01|57P02|08006)$/
const wakes = /Connection terminated unexpectedly|compute node|control plane/i

/**
 * Connects, and tries again while the server starts up, or wakes up where the provider lets it sleep. Nothing was asked of it
 * yet, so nothing is done twice.
 * @param patienceMs how long to try; by default `connect_timeout`
 * @throws what the last attempt threw
 */
export async function whileWaking<Result>(
  url: PostgresUrl,
  connect: () => Promise<Result>,
  {
    patienceMs = connectTimeoutMs(url),
    signal,
  }: { patienceMs?: number; signal?: AbortSignal | undefined } = {},
): Promise<Result> {
  const ends = performance.now() + patienceMs
  for (let pauseMs = 100; ; pauseMs = Math.min(2 * pauseMs, 2000)) {
    try {
      return await connect()
    } catch (error) {
      if (!isWaking(url, error) || performance.now() + pauseMs > ends) throw error
      await sleep(pauseMs, undefined, signal && { signal })
    }
  }
}

/** Whether a connection failed because the server is not there yet. */
function isWaking(url: PostgresUrl, error: unknown): boolean {
  const cause = (error as { cause?: unknown } | undefined)?.cause ?? error
  const { code, originalCode } = (cause ?? {}) as { code?: string; originalCode?: string }
  const said = originalCode ?? code ?? ''
  if (said === startingUp) return true
  const sleeps = providerOf(url)?.provider.sleeps !== undefined
  return sleeps && (asleep.test(said) || wakes.test(`${messageOf(error)} ${messageOf(cause)}`))
}
