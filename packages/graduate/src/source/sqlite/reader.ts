import { Worker } from 'node:worker_threads'
import { Failure } from '@outgrow/kit'
import type { MoveOptions } from '../../model/options.ts'
import type { PlannedTable } from '../../model/plan.ts'
import type { RowRange, RowsRead } from '../../model/row.ts'
import { freeMemory } from '../../types/buffer-pool.ts'
import type { RowStream } from '../source.ts'
import type { TableLayout } from './pages/table-layout.ts'
import type { ReaderReply, ReaderRequest, RowsReply } from './reader-messages.ts'

interface Waiting {
  resolve(reply: ReaderReply): void
  reject(error: unknown): void
}

/** What rows leave behind is short-lived: more room for it would be memory for nothing. */
const maxYoungGenerationSizeMb = 8

/**
 * Reads and encodes the source in a thread of its own, so that this one is free for the sockets.
 * Several ranges may be read at a time: the thread works on whichever is asked for.
 */
export class ReaderThread {
  readonly #worker: Worker
  /** By id, the answers that are awaited, in order. */
  readonly #waiting = new Map<number, Waiting[]>()
  #failure: { error: unknown } | undefined
  #lastId = 0
  /** Memory that is shared with the thread, by its number. */
  readonly #memories: ArrayBufferLike[] = []

  /** @param signal ends the thread, and what is awaited of it, when it aborts */
  constructor(path: string, signal: AbortSignal) {
    this.#worker = new Worker(new URL(import.meta.resolve('@outgrow/graduate/reader-worker')), {
      workerData: { path },
      resourceLimits: { maxYoungGenerationSizeMb },
    })
    this.#worker.on('message', (reply: ReaderReply) => this.#onReply(reply))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('the reading thread has ended')))
    const stop = () => {
      this.#fail(signal.reason)
      void this.close()
    }
    signal.addEventListener('abort', stop)
    this.#worker.once('exit', () => signal.removeEventListener('abort', stop))
  }

  /** Begins a read transaction on what is committed now. */
  async begin(): Promise<void> {
    await this.#ask({ kind: 'begin' }, 0)
  }

  /**
   * Opens a range of a table. To be read to its end or closed.
   * @param layout where its rows lie in the file; undefined: they are read through the driver
   * @param checked what is awaited before the first row is read
   */
  rows(
    table: PlannedTable,
    options: MoveOptions,
    range: RowRange,
    layout: TableLayout | undefined,
    checked: Promise<unknown> | undefined,
  ): RowStream {
    const id = ++this.#lastId
    this.#send({ kind: 'open', id, table, options, range, layout })
    return new ThreadStream(
      () => this.#ask({ kind: 'next', id }, id),
      (slot) => this.#send({ kind: 'free', slot }),
      () => this.#send({ kind: 'close', id }),
      this.#memories,
      checked,
    )
  }

  /** Reads a range of a table for its digest. */
  async digest(table: PlannedTable, options: MoveOptions, range: RowRange): Promise<RowsRead> {
    const id = ++this.#lastId
    const reply = await this.#ask({ kind: 'digest', id, table, options, range }, id)
    return (reply as Extract<ReaderReply, { kind: 'end' }>).result
  }

  /**
   * Counts the rows of a table; undefined where nothing can be counted but what is read.
   * @param checksPages whether its pages are looked at for damage before that
   * @throws Failure OUTGROW_SOURCE_DAMAGED
   */
  async count(table: PlannedTable, checksPages: boolean): Promise<number | undefined> {
    const id = ++this.#lastId
    const reply = await this.#ask({ kind: 'count', id, table, checksPages }, id)
    return (reply as Extract<ReaderReply, { kind: 'counted' }>).rows
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #send(request: ReaderRequest): void {
    this.#worker.postMessage(request)
  }

  #ask(request: ReaderRequest, id: number): Promise<ReaderReply> {
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure.error)
        return
      }
      const line = this.#waiting.get(id) ?? []
      line.push({ resolve, reject })
      this.#waiting.set(id, line)
      this.#send(request)
    })
  }

  #onReply(reply: ReaderReply): void {
    if (reply.kind === 'failed') {
      const { name, message, code, failure } = reply.error
      this.#fail(failure ? new Failure(failure) : Object.assign(new Error(message), { name, code }))
      return
    }
    const id = reply.kind === 'begun' ? 0 : reply.id
    this.#waiting.get(id)?.shift()?.resolve(reply)
    if (reply.kind !== 'rows') this.#waiting.delete(id)
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    for (const line of this.#waiting.values()) for (const { reject } of line) reject(this.#failure.error)
    this.#waiting.clear()
  }
}

/** The rows of one range as buffers in binary COPY form; one is made ahead while another is sent. */
class ThreadStream implements RowStream {
  /** Rows encoded so far. */
  rows = 0
  /** Whether a bad value was met. */
  isBad = false
  readonly #next: () => Promise<ReaderReply>
  readonly #free: (slot: number) => void
  readonly #close: () => void
  readonly #memories: ArrayBufferLike[]
  readonly #checked: Promise<unknown> | undefined
  #result: RowsRead | undefined

  constructor(
    next: () => Promise<ReaderReply>,
    free: (slot: number) => void,
    close: () => void,
    memories: ArrayBufferLike[],
    checked: Promise<unknown> | undefined,
  ) {
    this.#next = next
    this.#free = free
    this.#close = close
    this.#memories = memories
    this.#checked = checked
  }

  async *buffers(): AsyncGenerator<Buffer, void, void> {
    let ahead: Promise<ReaderReply> | undefined
    try {
      await this.#checked
      for (;;) {
        const reply = await (ahead ?? this.#ask())
        if (reply.kind === 'end') {
          this.#result = reply.result
          return
        }
        ahead = undefined
        const { slot, rows, isBad } = reply as RowsReply
        // A large row is sent before the next one is read.
        if (slot !== undefined) ahead = this.#ask()
        this.rows = rows
        this.isBad ||= isBad
        yield this.#bufferOf(reply as RowsReply)
      }
    } finally {
      if (this.#result === undefined) {
        this.#close()
        void this.#drop(ahead)
      }
    }
  }

  /** What was made ahead, and is for nobody. */
  async #drop(ahead: Promise<ReaderReply> | undefined): Promise<void> {
    const reply = await ahead?.catch(() => undefined)
    if (reply?.kind === 'rows') this.giveBack(this.#bufferOf(reply))
  }

  #bufferOf({ slot, memory, length }: RowsReply): Buffer {
    if (slot !== undefined && memory) this.#memories[slot] = memory
    return Buffer.from((slot === undefined ? memory : this.#memories[slot]) as ArrayBufferLike, 0, length)
  }

  /** Lets a buffer be used again, once nobody holds it. */
  giveBack({ buffer }: Buffer): void {
    const slot = this.#memories.indexOf(buffer)
    if (slot >= 0) this.#free(slot)
    else freeMemory(buffer)
  }

  /** What came of the range, once its buffers have been read to the end. */
  get result(): RowsRead {
    if (this.#result === undefined) throw new Error('the range was not read to its end')
    return this.#result
  }

  #ask(): Promise<ReaderReply> {
    const reply = this.#next()
    reply.catch(() => {}) // awaited by the next step; a run that has ended already does not ask
    return reply
  }
}
