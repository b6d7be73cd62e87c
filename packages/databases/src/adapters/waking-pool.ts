import { setImmediate as turn } from 'node:timers/promises'
import { Pool, type PoolClient, type PoolConfig } from 'pg'
import type { PostgresUrl } from '../url.ts'
import { whileWaking } from '../waking.ts'

type Callback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  release: (error?: unknown) => void,
) => void

/** After so long without use, a connection may have been closed without the process having heard of it. */
const silentMs = 5

/**
 * A pool over a server that sleeps, starts up, or closes connections that idle. Waits for a connection until the server is
 * awake: nothing was sent yet, so whatever is asked may wait.
 */
export class WakingPool extends Pool {
  readonly #url: PostgresUrl
  readonly #patienceMs: number
  #usedAt = performance.now()

  constructor(config: PoolConfig & { connectionTimeoutMillis: number }, url: PostgresUrl) {
    super(config)
    this.#url = url
    this.#patienceMs = config.connectionTimeoutMillis
    this.on('release', () => (this.#usedAt = performance.now()))
  }

  override connect(): Promise<PoolClient>
  override connect(callback: Callback): void
  override connect(callback?: Callback): Promise<PoolClient> | void {
    const connecting = this.#hear().then(() =>
      whileWaking(this.#url, () => super.connect(), { patienceMs: this.#patienceMs }),
    )
    if (!callback) return connecting
    void handTo(callback, connecting)
  }

  /** Lets the pool take out what was closed meanwhile: the second turn of the event loop is behind its sockets. */
  async #hear(): Promise<void> {
    if (this.idleCount === 0 || performance.now() - this.#usedAt < silentMs) return
    await turn()
    await turn()
  }
}

/** Calls back with a connection that is being made, as the pool itself does. */
async function handTo(callback: Callback, connecting: Promise<PoolClient>): Promise<void> {
  let client: PoolClient
  try {
    client = await connecting
  } catch (error) {
    callback(error as Error, undefined, () => {})
    return
  }
  callback(undefined, client, (error) => client.release(error as Error | undefined))
}
