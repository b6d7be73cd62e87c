import type { Connection, Submittable } from 'pg'
import type { PostgresClient } from './postgres.ts'

/**
 * Runs statements as one query, of which several are `COPY … FROM STDIN`, and sends the data of each without waiting for
 * the server to ask: one round trip, however many tables. What the server refuses it throws the rest of away.
 * @param sql statements separated by semicolons, as many COPYs among them as there are parts
 * @param parts the data of each COPY, in their order; few enough to be in memory at once
 */
export function copyManyIn(client: PostgresClient, sql: string, parts: readonly Buffer[][]): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new CopyMany(sql, parts, resolve, reject))
  })
}

class CopyMany implements Submittable {
  readonly #sql: string
  readonly #parts: readonly Buffer[][]
  readonly #resolve: () => void
  readonly #reject: (error: unknown) => void
  /** The driver sets its own, for its timeout. */
  callback = () => {}

  constructor(
    sql: string,
    parts: readonly Buffer[][],
    resolve: () => void,
    reject: (error: unknown) => void,
  ) {
    this.#sql = sql
    this.#parts = parts
    this.#resolve = resolve
    this.#reject = reject
  }

  submit(connection: Connection): void {
    const copying = connection as CopyingConnection
    copying.stream.cork()
    copying.query(this.#sql)
    for (const buffers of this.#parts) {
      for (const buffer of buffers) copying.sendCopyFromChunk(buffer)
      copying.endCopyFrom()
    }
    copying.stream.uncork()
  }

  handleCopyInResponse(): void {}
  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}

  handleReadyForQuery(): void {
    this.#resolve()
  }

  handleError(error: unknown): void {
    this.#reject(error)
  }
}

/** What the driver's connection does beyond its types. */
type CopyingConnection = Connection & {
  query(sql: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}
