import type { OpenSnapshot, Snapshot, Source } from '../../source.ts'
import { reservedPrefix } from './captured-table.ts'

/**
 * A source whose state is chosen twice: what its schema says is read from the live file before anything is touched, and the
 * rows from a copy of it, once changes are captured.
 */
export class LiveSnapshot implements Snapshot {
  readonly path: string
  readonly position: string
  #state: OpenSnapshot

  /** @param position tells this graduation from any other, also when it is resumed */
  constructor(state: OpenSnapshot, position: string) {
    this.path = state.path
    this.position = position
    this.#state = state
  }

  /** Goes on with the rows of the copy. */
  async renew(copy: Source, signal: AbortSignal): Promise<void> {
    const before = this.#state
    this.#state = await copy.open(signal)
    await before[Symbol.asyncDispose]()
  }

  get sizeBytes(): number {
    return this.#state.sizeBytes
  }

  health: Snapshot['health'] = () => this.#state.health()
  tables: Snapshot['tables'] = () => this.#state.tables()
  /** Without those that capture changes, which are there when a graduation is resumed. */
  objects: Snapshot['objects'] = () =>
    this.#state.objects().filter(({ name }) => !name.startsWith(reservedPrefix))
  chunks: Snapshot['chunks'] = (table) => this.#state.chunks(table)
  rows: Snapshot['rows'] = (table, options, chunk) => this.#state.rows(table, options, chunk)
  checkCount: Snapshot['checkCount'] = (table, rowsRead) => this.#state.checkCount(table, rowsRead)
  digest: Snapshot['digest'] = (table, options, onRows) => this.#state.digest(table, options, onRows)
  eachRow: Snapshot['eachRow'] = (table, options, onRow) => this.#state.eachRow(table, options, onRow)
  readerNotes: Snapshot['readerNotes'] = (tables) => this.#state.readerNotes(tables)
  counters: Snapshot['counters'] = () => this.#state.counters()
  violations: Snapshot['violations'] = (tables, constraints, options) =>
    this.#state.violations(tables, constraints, options)

  /** What comes later is followed. */
  hasAdvanced = (): boolean => false
  rowsSince = (): number => 0;

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#state[Symbol.asyncDispose]()
  }
}

/** A live file as a source whose snapshots can be renewed. */
export function liveSource(file: Source, position: string): Source {
  return { open: async (signal) => new LiveSnapshot(await file.open(signal), position) }
}
