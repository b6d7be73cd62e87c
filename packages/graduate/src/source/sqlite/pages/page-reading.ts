import type { SqliteDatabase } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { PlannedTable } from '../../../model/plan.ts'
import { FileDescriptor, type StaticState } from './static-file.ts'
import { layoutOf, type TableLayout } from './table-layout.ts'

/** What reads the rows of a file: its pages wherever they stand still, or all of them, or SQLite's driver alone. */
export type ReaderChoice = 'auto' | 'pages' | 'driver'

/** Which tables of a snapshot are read from the file's pages. To be opened before SQLite opens the file, and closed after. */
export class PageReading implements Disposable {
  readonly #path: string
  readonly #choice: ReaderChoice
  readonly #descriptor: FileDescriptor | undefined
  #database: SqliteDatabase | undefined
  #state: StaticState | undefined
  /** Where a table's rows lie, or why they are read through the driver. Another plan of it may have other columns. */
  readonly #layouts = new Map<PlannedTable, TableLayout | string>()

  constructor(path: string, choice: ReaderChoice) {
    this.#path = path
    this.#choice = choice
    this.#descriptor = choice === 'driver' ? undefined : new FileDescriptor(path)
  }

  /**
   * Looks whether the file stands still for as long as a read transaction lasts.
   * @param database in that transaction
   * @param other a connection without one
   * @throws Failure OUTGROW_READER_REFUSED where it does not, and pages were asked for
   */
  begin(database: SqliteDatabase, other: SqliteDatabase): void {
    this.#database = database
    this.#state = this.#descriptor?.look(this.#path, database, other)
    if (this.#choice !== 'pages' || !this.#state || !('reason' in this.#state)) return
    throw new Failure({
      code: 'OUTGROW_READER_REFUSED',
      message: `The pages of ${this.#path} cannot be read: ${this.#state.reason}.`,
      why: 'Pages are read only of a file that stands still and holds everything that SQLite sees in it.',
      fix: 'Leave out --reader pages, or move a copy made with VACUUM INTO.',
    })
  }

  /** Where a table's rows lie; undefined where they are read through the driver. */
  layoutOf(table: PlannedTable): TableLayout | undefined {
    const layout = this.#look(table)
    return typeof layout === 'string' ? undefined : layout
  }

  /** What is read through the driver although it was not chosen, and why. */
  notes(tables: PlannedTable[]): string[] {
    if (this.#state === undefined) return []
    if ('reason' in this.#state)
      return [`Rows were read through SQLite’s driver, not from the file’s pages: ${this.#state.reason}.`]
    return tables.flatMap((table) => {
      const layout = this.#look(table)
      const { name } = table.source
      return typeof layout === 'string'
        ? [`${name} was read through SQLite’s driver, not from the file’s pages: ${layout}.`]
        : []
    })
  }

  #look(table: PlannedTable): TableLayout | string | undefined {
    if (!this.#database || !this.#state || !('file' in this.#state)) return undefined
    const known = this.#layouts.get(table) ?? layoutOf(this.#database, this.#state.file, table)
    this.#layouts.set(table, known)
    return known
  }

  [Symbol.dispose](): void {
    this.#descriptor?.[Symbol.dispose]()
  }
}
