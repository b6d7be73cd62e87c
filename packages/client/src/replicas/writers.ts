import { AsyncLocalStorage } from 'node:async_hooks'
import {
  formatPosition,
  isSameHistory,
  parsePosition,
  type PrimaryWal,
  type WalPosition,
} from '@outgrow/databases'

/** Whose writes a read must see: those of the process, or of one piece of work in it. */
export interface Writer {
  /** The number of its last write, by the order in which writes ended; 0 when there was none. */
  lastWrite: number
  /** Covers its writes up to the one of that number. */
  position: WalPosition | undefined
  covered: number
  /** What it was given by another process, as long as nobody has looked at it. */
  token: string | undefined
  readonly around: Writer | undefined
}

/** Knows up to where a replica must have replayed for each writer. A position is asked for only when a read needs it. */
export class Writers {
  readonly #primary: PrimaryWal
  readonly #process: Writer = newWriter()
  readonly #inside = new AsyncLocalStorage<Writer>()
  #writes = 0
  /** What every writer must see. */
  #floor = 0
  #asking: { upTo: number; position: Promise<WalPosition> } | undefined
  #known: { upTo: number; position: WalPosition } | undefined

  constructor(primary: PrimaryWal) {
    this.#primary = primary
  }

  get current(): Writer {
    return this.#inside.getStore() ?? this.#process
  }

  /** Runs work whose reads see its own writes and those that the token stands for, and wait for no others. */
  after<Result>(token: string | undefined, work: () => PromiseLike<Result> | Result): Promise<Result> {
    const around = this.#inside.getStore()
    const writer = { ...(around ?? newWriter()), token: token ?? around?.token, around }
    // Awaited inside: what the work returns may be a query that only starts then.
    return this.#inside.run(writer, async () => await work())
  }

  /** Something that may have written has ended, well or not. */
  wrote(writer: Writer): void {
    this.#writes++
    this.#process.lastWrite = this.#writes
    for (let one: Writer | undefined = writer; one; one = one.around) one.lastWrite = this.#writes
  }

  /** Rows have come that no writer of this process has written here. */
  broughtRows(): void {
    this.#floor = ++this.#writes
  }

  /**
   * Up to where a replica must have replayed; undefined where anywhere will do. At once where it is known.
   * @throws (as a promise) where the primary does not say
   */
  required(writer: Writer): WalPosition | undefined | Promise<WalPosition | undefined> {
    if (writer.token !== undefined) return this.#believe(writer, writer.token)
    const { position, covered } = writer
    const lastWrite = Math.max(writer.lastWrite, this.#floor)
    if (lastWrite === 0 && !position) return undefined
    if (position && covered >= lastWrite) return this.#current(writer, position)
    if (this.#known && this.#known.upTo >= lastWrite) {
      this.#move(writer, this.#known.position, this.#known.upTo)
      return this.required(writer)
    }
    return this.#ask(writer)
  }

  /** What another process needs to read after the current writer; undefined when it has nothing to wait for. */
  async position(): Promise<string | undefined> {
    const position = await this.required(this.current)
    return position && formatPosition(position)
  }

  /** A position on another timeline than the primary's says nothing: that of now covers it. */
  #current(writer: Writer, position: WalPosition): WalPosition | Promise<WalPosition> {
    const { last } = this.#primary
    return !last || isSameHistory(position, last) ? position : this.#ask(writer)
  }

  async #ask(writer: Writer): Promise<WalPosition> {
    const upTo = this.#writes
    // A question that was sent when no fewer writes had ended covers this writer, too.
    const asking = this.#asking?.upTo === upTo ? this.#asking : { upTo, position: this.#primary.read() }
    this.#asking = asking
    const position = await asking.position.finally(() => {
      if (this.#asking === asking) this.#asking = undefined
    })
    if (!this.#known || this.#known.upTo <= upTo) this.#known = { upTo, position }
    return this.#move(writer, position, upTo)
  }

  /** A token comes from outside: one that the primary cannot have given is taken for its position of now. */
  async #believe(writer: Writer, token: string): Promise<WalPosition | undefined> {
    const wanted = parsePosition(token)
    const isPossible = (last: WalPosition) =>
      wanted !== undefined && isSameHistory(wanted, last) && wanted.lsn <= last.lsn
    let { last } = this.#primary
    if (!last || !isPossible(last)) last = await this.#primary.read()
    this.#move(writer, isPossible(last) && wanted ? wanted : last, writer.covered)
    if (writer.token === token) writer.token = undefined
    return this.required(writer)
  }

  #move(writer: Writer, position: WalPosition, covered: number): WalPosition {
    const before = writer.position
    const isLater = !before || !isSameHistory(before, position) || position.lsn > before.lsn
    if (isLater) writer.position = position
    writer.covered = Math.max(writer.covered, covered)
    return isLater ? position : before
  }
}

function newWriter(): Writer {
  return { lastWrite: 0, position: undefined, covered: 0, token: undefined, around: undefined }
}
