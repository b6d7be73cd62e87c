import { Readable } from 'node:stream'
import type { Connection, Submittable } from 'pg'
import { Failure } from '@outgrow/kit'
import { connectPostgres } from './postgres.ts'

/** A copy of a running server's files: of use only with the WAL that was written from `startLsn` to `end()`. */
export interface BaseBackup {
  startLsn: string
  timeline: number
  /** The server's own estimate, before the copy. */
  estimatedBytes: number
  /** The data directory, as one tar archive; to be read to its end. */
  tar: Readable
  /** Once the archive was read: the first position at which the files are consistent. */
  end: () => Promise<{ endLsn: string }>
}

/**
 * Runs `use` with a base backup over the replication protocol (`BASE_BACKUP`), as pg_basebackup takes it. It does not
 * wait for the archive to have the WAL. The role needs REPLICATION, and pg_hba.conf must let it connect.
 * @param label names it in `backup_label`
 * @throws Failure OUTGROW_POSTGRES_UNREACHABLE, and OUTGROW_TABLESPACES where files lie outside of the data directory
 */
export async function withBaseBackup<Result>(
  url: string,
  label: string,
  signal: AbortSignal,
  use: (backup: BaseBackup) => Promise<Result>,
): Promise<Result> {
  const client = await connectPostgres(url, [], signal, 'replication')
  const query = new BaseBackupQuery(label)
  try {
    client.query(query)
    return await use(await query.started)
  } finally {
    query.tar.destroy()
    // A copy that was given up is still being sent: only hanging up ends it.
    if (!query.isOver) client.connection.stream.destroy()
    await client.end().catch(() => {})
  }
}

interface RowMessage {
  fields: (string | null)[]
}

/**
 * The answer to BASE_BACKUP: a row with the start, a row for each tablespace, a COPY of tagged messages, a row with the end.
 * Source: PostgreSQL, "Streaming Replication Protocol".
 */
class BaseBackupQuery implements Submittable {
  readonly started: Promise<BaseBackup>
  readonly tar: Readable
  isOver = false
  readonly #ended: Promise<{ endLsn: string }>
  readonly #start = Promise.withResolvers<BaseBackup>()
  readonly #end = Promise.withResolvers<{ endLsn: string }>()
  readonly #rows: string[][][] = []
  #connection: Connection | undefined
  readonly #label: string

  constructor(label: string) {
    this.#label = label
    this.started = this.#start.promise
    this.#ended = this.#end.promise
    // Whoever waits for neither learns of a failure from the stream.
    for (const promise of [this.started, this.#ended]) promise.catch(() => {})
    this.tar = new Readable({
      highWaterMark: 1 << 20,
      read: () => {
        this.#connection?.stream.resume()
      },
    })
    this.tar.on('error', () => {})
  }

  submit(connection: Connection): void {
    this.#connection = connection
    const label = this.#label.replaceAll("'", "''")
    connection.query(`BASE_BACKUP (LABEL '${label}', CHECKPOINT 'fast', WAIT false, PROGRESS true)`)
  }

  handleRowDescription(): void {
    this.#rows.push([])
  }

  handleDataRow({ fields }: RowMessage): void {
    this.#rows.at(-1)?.push(fields.map((field) => field ?? ''))
  }

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    const kind = String.fromCharCode(chunk[0] ?? 0)
    if (kind === 'n') this.#begin()
    // The parser uses its memory again.
    if (kind === 'd' && !this.tar.push(Buffer.from(chunk.subarray(1)))) this.#connection?.stream.pause()
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.isOver = true
    const endLsn = this.#rows.at(-1)?.[0]?.[0]
    if (endLsn !== undefined && this.#rows.length >= 3) this.#end.resolve({ endLsn })
    this.tar.push(null)
  }

  handleError(error: Error): void {
    this.#start.reject(error)
    this.#end.reject(error)
    this.tar.destroy(error)
  }

  #begin(): void {
    const [start, tablespaces] = this.#rows
    const [startLsn = '', timeline = ''] = start?.[0] ?? []
    const outside = (tablespaces ?? []).filter(([oid]) => oid !== '')
    if (outside.length > 0) {
      this.#start.reject(
        new Failure({
          code: 'OUTGROW_TABLESPACES',
          message: `The server keeps files outside of its data directory: ${outside.map(([, path]) => path).join(', ')}.`,
          why: 'A base backup is one archive of the data directory.',
          fix: 'Move their tables back with ALTER TABLE … SET TABLESPACE pg_default, and drop the tablespaces.',
        }),
      )
      return
    }
    const kilobytes = (tablespaces ?? []).reduce((sum, [, , size]) => sum + Number(size ?? 0), 0)
    this.#start.resolve({
      startLsn,
      timeline: Number(timeline),
      estimatedBytes: kilobytes * 1024,
      tar: this.tar,
      end: () => this.#ended,
    })
  }
}
