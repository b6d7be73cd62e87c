import { quoteIdentifier } from '@outgrow/databases/quote'
import type { SqliteDatabase } from '@outgrow/databases/sqlite'
import { FindingCollector, FixCounter } from '../../model/collectors.ts'
import type { Digest } from '../../model/digest.ts'
import { excerptOf } from '../../model/excerpt.ts'
import type { MoveOptions } from '../../model/options.ts'
import type { PlannedColumn, PlannedTable } from '../../model/plan.ts'
import type { QuarantinedRow, RowRange, RowsRead } from '../../model/row.ts'
import { RowHasher } from '../../model/row-hasher.ts'
import { BinaryWriter } from '../../types/binary-writer.ts'
import { BufferPool } from '../../types/buffer-pool.ts'
import { refused, type Cell, type Encode, type Refused } from '../../types/encode.ts'
import { encodeText } from '../../types/string.ts'
import { encoderFor, isSentAsList } from '../../types/value-types.ts'
import { CellContext } from './cell-context.ts'

/** Whether a column holds seconds: found once, since it may take a look at all of its rows. */
const secondsColumns = new WeakMap<PlannedColumn, boolean>()

export interface ReadColumn extends PlannedColumn {
  encode: Encode
}

/**
 * Turns the rows of one table into binary COPY rows, by the rules; how rows are read is a reader's own.
 * What cannot be turned is counted in `findings` and, when asked, kept whole in `quarantined`.
 */
export abstract class TableEncoder {
  readonly table: PlannedTable
  readonly findings = new FindingCollector()
  readonly fixes = new FixCounter()
  quarantined: QuarantinedRow[] = []
  /** Rows read, bad ones included. */
  rowsRead = 0
  protected readonly database: SqliteDatabase
  protected readonly pool: BufferPool
  protected readonly columns: ReadColumn[]
  protected readonly hasher: RowHasher
  /** The cell that is being encoded. */
  protected readonly context: CellContext
  readonly #keepsBadRows: boolean

  constructor(
    database: SqliteDatabase,
    table: PlannedTable,
    options: MoveOptions,
    pool: BufferPool = new BufferPool(),
  ) {
    this.pool = pool
    this.database = database
    this.table = table
    this.hasher = new RowHasher(table.columns.map(isSentAsList))
    this.#keepsBadRows = options.onBadValue === 'quarantine'
    // The driver's own pragma() is refused while another table is being read.
    const encoding = database.prepare('SELECT encoding FROM pragma_encoding').pluck().get() as string
    const utf16 = encoding === 'UTF-8' ? undefined : encoding.toLowerCase()
    this.context = new CellContext(database, table, options.rules, this.fixes, utf16)
    this.columns = table.columns.map((column) => ({ ...column, encode: this.#encoderOf(column) }))
  }

  /** Encodes the rows of a range; each buffer is full, the last may be short. Nothing is read ahead. */
  abstract buffers(range: RowRange): Generator<Buffer, void, void>

  get digest(): Digest {
    return this.hasher.digest
  }

  get result(): RowsRead {
    const { digest, rowsRead, findings, fixes, quarantined } = this
    return { digest, rowsRead, findings: findings.findings, fixes: fixes.fixes, quarantined }
  }

  /** Lets a buffer be used again, once nobody holds it. */
  giveBack(buffer: Buffer): void {
    this.pool.giveBack(buffer)
  }

  /** Records why a row cannot go to the target. When the run stops anyway, everything bad in it is named at once. */
  protected refuseRow(refusal: Refused, index: number, cellAt: (index: number) => Cell): void {
    this.#refuse(refusal, index, cellAt(index))
    if (this.#keepsBadRows) return
    const scratch = new BinaryWriter()
    for (let next = index + 1; next < this.columns.length; next++) {
      const { encode, source, target } = this.columns[next] as ReadColumn
      const cell = cellAt(next)
      this.context.column = source
      scratch.at = 0
      const also =
        cell === null ? (target.notNull ? refusedNull() : undefined) : encode(cell, scratch, this.context)
      if (also) this.#refuse(also, next, cell)
    }
  }

  #refuse({ reason, fixes }: Refused, index: number, cell: Cell): void {
    const { context } = this
    context.column = (this.columns[index] as ReadColumn).source
    const key = context.key()
    const exact = cell === null ? { storage: 'null', value: null } : context.readExactly()
    this.findings.add(
      {
        code: 'OUTGROW_BAD_VALUE',
        table: this.table.source.name,
        column: context.column,
        storage: exact.storage,
        excerpt: excerptOf(cell === null ? null : exact.value),
        reason,
        fixes,
      },
      key,
    )
    if (!this.#keepsBadRows) return
    this.quarantined.push({
      table: this.table.source.name,
      key,
      column: context.column,
      reason,
      row: context.readRow(),
    })
  }

  #encoderOf(column: PlannedColumn): Encode {
    if (column.presenceOnly) return encodePresence
    if (column.castTo !== undefined) return encodeText
    const name = quoteIdentifier(column.source)
    const table = quoteIdentifier(this.table.source.name)
    const looksLikeSeconds = () => {
      const known =
        secondsColumns.get(column) ??
        this.database
          .prepare(
            `SELECT 1 FROM ${table} WHERE typeof(${name}) = 'integer' AND ${name} NOT BETWEEN 100000000 AND 10000000000 AND ${name} NOT BETWEEN -10000000000 AND -100000000 LIMIT 1`,
          )
          .get() === undefined
      secondsColumns.set(column, known)
      return known
    }
    return encoderFor({ target: column.target, looksLikeSeconds }) ?? encodeText
  }
}

/** NULL where the target takes none. */
export function refusedNull(): Refused {
  return refused('is NULL in a required column', 'make the field optional in the schema')
}

/** Stands for any value that is not NULL. */
const encodePresence: Encode = (_, writer) => {
  writer.int32(0)
  return undefined
}
