import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectPostgres, quoteIdentifier, refusePooled } from '@outgrow/databases'
import type { Database } from './database.ts'

/** Between attempts to reach a server that does not answer. */
const retryMs = { first: 250, longest: 10_000 }

/**
 * Listens to a channel of Postgres for as long as the rows are there, on a connection of its own: a lost one is made anew,
 * and a switch is followed. Calls back for each NOTIFY, and each time when listening has begun, since some may have been
 * missed. Behind a pooler without a way past it there is nothing to hear. Returns what ends it.
 */
export function listenTo(
  database: Pick<Database, 'provider' | 'directUrl' | 'on'>,
  channel: string,
  onNotified: () => void,
): () => Promise<void> {
  const closed = new AbortController()
  let switched = new AbortController()
  const stopFollowing = database.on('switched', () => {
    switched.abort()
    switched = new AbortController()
  })
  const keepListening = async () => {
    let pauseMs = retryMs.first
    while (!closed.signal.aborted) {
      const ends = AbortSignal.any([closed.signal, switched.signal])
      if (database.provider === 'sqlite') {
        await aborted(ends)
        continue
      }
      const began = () => {
        pauseMs = retryMs.first
        onNotified()
      }
      try {
        await listenOnce(database.directUrl, channel, { began, onNotified }, ends)
      } catch (error) {
        if ((error as { code?: unknown }).code === 'OUTGROW_TARGET_POOLED') await aborted(ends)
      }
      await sleep(pauseMs, undefined, { signal: ends, ref: false }).catch(() => {})
      pauseMs = Math.min(pauseMs * 2, retryMs.longest)
    }
  }
  const listening = keepListening()
  return async () => {
    stopFollowing()
    closed.abort()
    await listening
  }
}

/** Until the connection ends, or the signal ends it. */
async function listenOnce(
  url: string,
  channel: string,
  { began, onNotified }: { began: () => void; onNotified: () => void },
  signal: AbortSignal,
): Promise<void> {
  // A pooler in transaction mode takes LISTEN, and forgets it with the statement.
  await refusePooled(url, signal)
  const client = await connectPostgres(url, [], signal)
  try {
    client.on('error', () => {}) // its end is heard below
    client.on('notification', onNotified)
    const ended = new Promise((resolve) => client.once('end', resolve))
    await client.query(`LISTEN ${quoteIdentifier(channel)}`)
    began()
    await Promise.race([ended, aborted(signal)])
  } finally {
    await client.end().catch(() => {})
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}
