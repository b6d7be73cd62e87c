import { setTimeout as sleep } from 'node:timers/promises'
import { postgresSide, sqliteSide, type RawKind } from './sides.ts'
import { Moved, type Side } from './sql.ts'

/** What a process of the application is started with. */
export interface ProcessRequest {
  seed: number
  number: number
  kind: RawKind
  file: string
  postgresUrl: string
  ledger: string
  /** Whether it goes on in Postgres once its tables are gone, or ends. */
  goesOn: boolean
  /** How often the disk is full for it, from 0 to 1. */
  fullShare: number
}

/**
 * The database in which the application's tables are, as a process without the facade finds it: by a statement that fails.
 */
export class Application {
  readonly #request: ProcessRequest
  #side: Side | undefined
  #provider: Side['provider'] = 'sqlite'

  constructor(request: ProcessRequest) {
    this.#request = request
  }

  /** Opened when it is needed. */
  async side(): Promise<Side> {
    const { file, kind, postgresUrl } = this.#request
    while (this.#side === undefined) {
      if (this.#provider === 'sqlite') this.#side = sqliteSide(file, kind)
      else this.#side = await postgresSide(postgresUrl).catch(() => undefined)
      if (this.#side === undefined) await sleep(100)
    }
    return this.#side
  }

  /** Goes to the other side where the tables are gone from this one. */
  async leave(error: unknown): Promise<void> {
    const { provider } = await this.side()
    await this.close()
    if (error instanceof Moved) this.#provider = provider === 'sqlite' ? 'postgres' : 'sqlite'
  }

  async close(): Promise<void> {
    await this.#side?.close()
    this.#side = undefined
  }
}
