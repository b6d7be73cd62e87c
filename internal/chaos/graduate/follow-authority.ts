import { setTimeout as sleep } from 'node:timers/promises'
import { facadeSide } from './facade.ts'
import { postgresSide, sqliteSide, type ApplicationKind } from './sides.ts'
import type { Variant } from './variants.ts'
import { Moved, type Side } from './sql.ts'

/** What a process of the application is started with. */
export interface ProcessRequest {
  seed: number
  number: number
  kind: ApplicationKind
  file: string
  postgresUrl: string
  ledger: string
  /** Whether it goes on in Postgres once its tables are gone, or ends. */
  goesOn: boolean
  variant: Variant | undefined
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
      if (kind === 'facade') this.#side = await facadeSide(file, postgresUrl).catch(onlyAway)
      else if (this.#provider === 'sqlite') this.#side = sqliteSide(file, kind)
      else this.#side = await postgresSide(postgresUrl).catch(onlyAway)
      if (this.#side === undefined) await sleep(100)
    }
    return this.#side
  }

  /** Goes to the other side where the tables are gone from this one. */
  async leave(error: unknown): Promise<void> {
    if (this.#request.kind === 'facade') {
      await sleep(50)
      return
    }
    const provider = this.#provider
    await this.close()
    if (error instanceof Moved) this.#provider = provider === 'sqlite' ? 'postgres' : 'sqlite'
  }

  get provider(): Side['provider'] {
    return this.#provider
  }

  async close(): Promise<void> {
    await this.#side?.close()
    this.#side = undefined
  }
}

/** A server that is down comes back; whatever else is wrong does not go away. */
function onlyAway(error: unknown): undefined {
  if ((error as { code?: string }).code !== 'OUTGROW_POSTGRES_UNREACHABLE') throw error
}
