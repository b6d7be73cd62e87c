import type { Connection, Submittable } from 'pg'
import type { PostgresClient } from './postgres.ts'

/** One statement of a batch. */
export interface BatchStatement {
  sql: string
  /** Parameters: texts as they are, buffers in the binary form of their types. */
  values?: (string | Buffer | null)[]
  /** OIDs of the parameters' types; without them the server infers each. */
  types?: number[]
  /** What a `COPY … FROM STDIN` reads, in pieces. */
  data?: Buffer[]
}

/**
 * Runs statements in their order for one round trip, COPYs with their data among them: nothing waits for the server to
 * ask. What comes behind a statement that fails is not run. Without a BEGIN they are one transaction of their own.
 * @returns the rows of each statement, as texts
 */
export function runBatch(
  client: PostgresClient,
  statements: readonly BatchStatement[],
): Promise<(string | null)[][][]> {
  return new Promise((resolve, reject) => {
    client.query(new Batch(statements, resolve, reject))
  })
}

class Batch implements Submittable {
  readonly #statements: readonly BatchStatement[]
  readonly #resolve: (rows: (string | null)[][][]) => void
  readonly #reject: (error: unknown) => void
  readonly #rows: (string | null)[][][] = [[]]
  /** The driver sets its own, for its timeout. */
  callback = () => {}

  constructor(
    statements: readonly BatchStatement[],
    resolve: (rows: (string | null)[][][]) => void,
    reject: (error: unknown) => void,
  ) {
    this.#statements = statements
    this.#resolve = resolve
    this.#reject = reject
  }

  submit(connection: Connection): void {
    const wire = connection as Wire
    wire.stream.cork()
    for (const { sql, values = [], types = [], data } of this.#statements) {
      wire.parse({ text: sql, name: '', types })
      wire.bind({ values })
      wire.execute({})
      for (const piece of data ?? []) wire.sendCopyFromChunk(piece)
      if (data) wire.endCopyFrom()
    }
    wire.sync()
    wire.stream.uncork()
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    this.#rows.at(-1)?.push(fields)
  }

  handleCommandComplete(): void {
    this.#rows.push([])
  }

  handleCopyInResponse(): void {}
  handleRowDescription(): void {}
  handleEmptyQuery(): void {}

  handleReadyForQuery(): void {
    this.#resolve(this.#rows)
  }

  handleError(error: unknown): void {
    this.#reject(error)
  }
}

/** What the driver's connection does beyond its types. */
type Wire = Connection & {
  parse(statement: { text: string; name: string; types: number[] }): void
  bind(portal: { values: (string | Buffer | null)[] }): void
  execute(portal: object): void
  sync(): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}
