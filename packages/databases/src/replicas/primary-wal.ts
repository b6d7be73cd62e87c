import type { PostgresUrl } from '../url.ts'
import { countTime, type Durations } from '../adapters/counters.ts'
import type { WalPosition } from './wal-position.ts'
import { WalServer, type WalState } from './wal-server.ts'

interface Sample extends WalPosition {
  at: number
}

/** How far apart samples are kept. */
const apartMs = 100

/** Where the primary writes, now and lately. */
export class PrimaryWal {
  readonly #server: WalServer
  readonly #keptMs: number
  readonly #asked: Durations
  readonly #samples: Sample[] = []
  #last: WalState | undefined

  constructor(url: PostgresUrl, limits: { timeoutMs: number; keptMs: number }, asked: Durations) {
    this.#server = new WalServer(url, limits.timeoutMs)
    this.#keptMs = limits.keptMs
    this.#asked = asked
  }

  /** As it was last seen. */
  get last(): WalState | undefined {
    return this.#last
  }

  /**
   * A position that covers everything that was committed before the call.
   * @throws what the driver throws, and an Error where the server is a standby
   */
  async read(): Promise<WalState> {
    const asked = performance.now()
    const state = await this.#server.read()
    if (state.isStandby) throw new Error('the primary is a standby')
    countTime(this.#asked, performance.now() - asked)
    this.#keep(state, asked)
    this.#last = state
    return state
  }

  /**
   * For how long a server has been without something that the primary had, in ms, as far as samples go back: `isKnown`
   * says whether they cover the time that counts.
   * @param now when the server was asked, by `performance.now()`
   */
  behindMs(replayed: WalPosition, now: number): { ms: number; isKnown: boolean } {
    const newest = this.#samples.at(-1)
    const missing = this.#samples.find(({ lsn }) => lsn > replayed.lsn)
    const oldest = this.#samples[0]
    const since = missing ?? newest
    return {
      ms: since === undefined ? 0 : now - since.at,
      isKnown:
        newest !== undefined && (missing === undefined || (oldest !== undefined && missing !== oldest)),
    }
  }

  close(): Promise<void> {
    return this.#server.close()
  }

  #keep({ system, timeline, lsn }: WalState, at: number): void {
    const newest = this.#samples.at(-1)
    // Another timeline's samples are not comparable.
    if (newest && (newest.timeline !== timeline || newest.system !== system || newest.lsn > lsn))
      this.#samples.length = 0
    const before = this.#samples.at(-2)
    if (before && at - before.at < apartMs) this.#samples.pop()
    this.#samples.push({ system, timeline, lsn, at })
    while ((this.#samples[1]?.at ?? at) < at - this.#keptMs) this.#samples.shift()
  }
}
