import { quoteIdentifier } from '@outgrow/databases/quote'
import type { SqliteDatabase } from '@outgrow/databases/sqlite'
import { FindingCollector, FixCounter } from '../../model/collectors.ts'
import type { Digest } from '../../model/digest.ts'
import { excerptOf, reportedValue } from '../../model/excerpt.ts'
import type { ReportedKey } from '../../model/finding.ts'
import type { MoveOptions } from '../../model/options.ts'
import type { PlannedColumn, PlannedTable } from '../../model/plan.ts'
import type { QuarantinedRow, RowRange, RowSelection, RowsRead } from '../../model/row.ts'
import { RowHasher } from '../../model/row-hasher.ts'
import { BinaryWriter } from '../../types/binary-writer.ts'
import { BufferPool } from '../../types/buffer-pool.ts'
import {
  refused,
  type Cell,
  type Encode,
  type EncodeContext,
  type Refused,
  type Storage,
} from '../../types/encode.ts'
import { encodeText } from '../../types/string.ts'
import { encoderFor, isSentAsList } from '../../types/value-types.ts'

/** Read at a time at most: a third cheaper than one by one, and so many of the first large rows are in memory at once. */
const maxRowsPerRead = 12
/** Where the last read's rows were larger, the next is of one row. */
const maxBytesPerRead = 1024 * 1024
const lowestRowid = -(2n ** 63n)

/** Whether a column holds seconds: found once, since it may take a look at all of its rows. */
const secondsColumns = new WeakMap<PlannedColumn, boolean>()

interface ReadColumn extends PlannedColumn {
  encode: Encode
}

/**
 * Turns the rows of one table into binary COPY rows, by the rules.
 * What cannot be turned is counted in `findings` and, when asked, kept whole in `quarantined`.
 */
export class RowEncoder {
  readonly table: PlannedTable
  readonly findings = new FindingCollector()
  readonly fixes = new FixCounter()
  quarantined: QuarantinedRow[] = []
  /** Rows read, bad ones included. */
  rowsRead = 0
  readonly #pool: BufferPool
  readonly #database: SqliteDatabase
  readonly #options: MoveOptions
  readonly #columns: ReadColumn[]
  readonly #hasher: RowHasher
  readonly #keepsBadRows: boolean
  readonly #utf16: string | undefined

  constructor(
    database: SqliteDatabase,
    table: PlannedTable,
    options: MoveOptions,
    pool: BufferPool = new BufferPool(),
  ) {
    this.#pool = pool
    this.#database = database
    this.table = table
    this.#options = options
    this.#hasher = new RowHasher(table.columns.map(isSentAsList))
    this.#keepsBadRows = options.onBadValue === 'quarantine'
    // The driver's own pragma() is refused while another table is being read.
    const encoding = database.prepare('SELECT encoding FROM pragma_encoding').pluck().get() as string
    this.#utf16 = encoding === 'UTF-8' ? undefined : encoding.toLowerCase()
    this.#columns = table.columns.map((column) => ({ ...column, encode: this.#encoderOf(column) }))
  }

  get digest(): Digest {
    return this.#hasher.digest
  }

  get result(): RowsRead {
    const { digest, rowsRead, findings, fixes, quarantined } = this
    return { digest, rowsRead, findings: findings.findings, fixes: fixes.fixes, quarantined }
  }

  /** Lets a buffer be used again, once nobody holds it. */
  giveBack(buffer: Buffer): void {
    this.#pool.giveBack(buffer)
  }

  /**
   * Encodes the rows of a range, or those that a condition selects; each buffer is full, the last may be short. Nothing is
   * read ahead.
   */
  *buffers(range: RowRange | RowSelection): Generator<Buffer, void, void> {
    const writer = new BinaryWriter(this.#pool)
    const context = new CellContext(this.#database, this.table, this.#options.rules, this.fixes, this.#utf16)
    const columns = this.#columns
    const count = columns.length
    const offset = context.keyColumns.length
    try {
      for (const row of this.#rows(range, context)) {
        const start = writer.at
        context.row = row
        this.rowsRead++
        writer.int16(count)
        let refusal: Refused | undefined
        for (let index = 0; index < count; index++) {
          const column = columns[index] as ReadColumn
          const cell = row[index + offset] as Cell
          if (cell === null) {
            if (!column.target.notNull) {
              writer.null()
              continue
            }
            refusal = refused('is NULL in a required column', 'make the field optional in the schema')
          } else {
            context.column = column.source
            refusal = column.encode(cell, writer, context)
          }
          if (refusal !== undefined) {
            context.column = column.source
            this.#refuse(context, refusal, cell)
            if (!this.#keepsBadRows) this.#refuseRest(context, index + 1, row)
            break
          }
        }
        if (refusal !== undefined) {
          writer.at = start
          continue
        }
        this.#hasher.add(writer.buffer, start, writer.at)
        this.watch?.(writer.buffer.subarray(start, writer.at), context)
        if (writer.isFull) yield writer.take()
      }
      if (writer.at > 0) yield writer.take()
    } finally {
      writer.end()
    }
  }

  /** Sees every row that is sent. */
  watch: ((row: Buffer, context: { key(): ReportedKey; place(): RowSelection }) => void) | undefined;

  *#rows(range: RowRange | RowSelection, context: CellContext): Generator<Cell[]> {
    const { source } = this.table
    const names = this.table.columns.map(({ source: name }) => quoteIdentifier(name))
    const keys = context.keyColumns.map(source.rowid === undefined ? literalOf : keySql)
    const select = `SELECT ${[...keys, ...names].join(', ')} FROM ${quoteIdentifier(source.name)}`
    if (range === undefined) {
      yield* this.#database.prepare(select).raw().iterate() as Iterable<Cell[]>
      return
    }
    if ('where' in range) {
      const statement = this.#database.prepare(`${select} WHERE ${range.where}`).raw().safeIntegers(true)
      for (const row of statement.iterate(range.values) as Iterable<Cell[]>) {
        narrow(row)
        yield row
      }
      return
    }
    const { rowid } = source
    const sql = `${select} WHERE ${rowid} > ? AND ${rowid} <= ? ORDER BY ${rowid} LIMIT ?`
    const statement = this.#database.prepare(sql).raw()
    const wide = range.low < -(2n ** 53n) || range.high > 2n ** 53n
    if (wide) statement.safeIntegers(true)
    let last: unknown = range.low - 1n
    if (range.low === lowestRowid) last = -Infinity // SQLite compares it as a number, below every rowid
    for (let limit = 1; ;) {
      const rows = statement.all(last, range.high, limit) as Cell[][]
      let bytes = 0
      for (const row of rows) {
        last = row[0]
        bytes += sizeOf(row)
        if (wide) narrow(row)
        yield row
        row.length = 0 // nobody needs it any more, and the next one may be as large
      }
      if (rows.length < limit) return
      limit = bytes > maxBytesPerRead ? 1 : Math.min(2 * limit, maxRowsPerRead)
    }
  }

  #encoderOf(column: PlannedColumn): Encode {
    if (column.presenceOnly) return encodePresence
    if (column.castTo !== undefined) return encodeText
    const name = quoteIdentifier(column.source)
    const table = quoteIdentifier(this.table.source.name)
    const looksLikeSeconds = () => {
      const known =
        secondsColumns.get(column) ??
        this.#database
          .prepare(
            `SELECT 1 FROM ${table} WHERE typeof(${name}) = 'integer' AND abs(${name}) NOT BETWEEN 100000000 AND 10000000000 LIMIT 1`,
          )
          .get() === undefined
      secondsColumns.set(column, known)
      return known
    }
    return encoderFor({ target: column.target, looksLikeSeconds }) ?? encodeText
  }

  #refuse(context: CellContext, { reason, fixes }: Refused, cell: Cell): void {
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

  /** When the run stops anyway, everything bad in the row is named at once. */
  #refuseRest(context: CellContext, from: number, row: Cell[]): void {
    const scratch = new BinaryWriter()
    for (let index = from; index < this.#columns.length; index++) {
      const column = this.#columns[index] as ReadColumn
      const cell = row[index + context.keyColumns.length] as Cell
      context.column = column.source
      scratch.at = 0
      const refusal =
        cell === null
          ? column.target.notNull
            ? refused('is NULL in a required column', 'make the field optional in the schema')
            : undefined
          : column.encode(cell, scratch, context)
      if (refusal) this.#refuse(context, refusal, cell)
    }
  }
}

/** Stands for any value that is not NULL. */
const encodePresence: Encode = (_, writer) => {
  writer.int32(0)
  return undefined
}

/**
 * SQL that gives a value as a literal of SQL. A row without a rowid is found again by it: neither a large integer nor bytes
 * that are no UTF-8 would come through the driver as they are.
 */
const literalOf = (name: string) => {
  const quoted = quoteIdentifier(name)
  return `CASE typeof(${quoted}) WHEN 'text' THEN 'CAST(x''' || hex(CAST(${quoted} AS BLOB)) || ''' AS TEXT)' ELSE quote(${quoted}) END`
}

/** About how much memory the long cells of a row take. */
function sizeOf(row: Cell[]): number {
  let size = 0
  for (const cell of row) if (typeof cell === 'string' || Buffer.isBuffer(cell)) size += cell.length
  return size
}

const keySql = (name: string) => (/^(rowid|_rowid_|oid)$/.test(name) ? name : quoteIdentifier(name))

/** bigint where it must be, number elsewhere: what the encoders expect. */
function narrow(row: Cell[]): void {
  for (let index = 0; index < row.length; index++) {
    const cell = row[index]
    if (typeof cell === 'bigint' && Number.isSafeInteger(Number(cell))) row[index] = Number(cell)
  }
}

/** The cell being encoded, and the means to read it again exactly. */
class CellContext implements EncodeContext {
  readonly rules: ReadonlySet<string>
  /** Columns at the front of each row by which it can be found again. */
  readonly keyColumns: string[]
  row: Cell[] = []
  column = ''
  readonly #database: SqliteDatabase
  readonly #table: PlannedTable
  readonly #fixes: FixCounter
  readonly #utf16: string | undefined
  /** By what they read: of dirty columns many a row is read again. */
  readonly #statements = new Map<string, ReturnType<SqliteDatabase['prepare']>>()

  constructor(
    database: SqliteDatabase,
    table: PlannedTable,
    rules: ReadonlySet<string>,
    fixes: FixCounter,
    utf16: string | undefined,
  ) {
    this.#database = database
    this.#table = table
    this.rules = rules
    this.#fixes = fixes
    this.#utf16 = utf16
    const { rowid, primaryKey } = table.source
    this.keyColumns = rowid === undefined ? primaryKey : [rowid]
  }

  fixed(rule: string): void {
    this.#fixes.add(rule, this.#table.source.name, this.column)
  }

  readExactly(): { storage: Storage; value: Cell; bytes: Buffer | null } {
    const name = quoteIdentifier(this.column)
    const [storage, value, bytes] = this.#read(
      `typeof(${name}), ${name}, CASE typeof(${name}) WHEN 'text' THEN CAST(${name} AS BLOB) WHEN 'blob' THEN ${name} ELSE CAST(CAST(${name} AS TEXT) AS BLOB) END`,
    ) as [Storage, Cell, Buffer | null]
    return { storage, value, bytes: storage === 'text' && bytes ? this.#utf8(bytes) : bytes }
  }

  readJsonb(): string | null {
    const name = quoteIdentifier(this.column)
    const [json] = this.#read(`CASE WHEN json_valid(${name}, 8) THEN json(${name}) END`) as [string | null]
    return json
  }

  /** SQL that finds the row again. */
  place(): RowSelection {
    const { rowid } = this.#table.source
    if (rowid !== undefined) return { where: `${rowid} = ?`, values: [BigInt(this.row[0] as number)] }
    const same = this.keyColumns.map((name, at) => `${quoteIdentifier(name)} IS ${String(this.row[at])}`)
    return { where: same.join(' AND '), values: [] }
  }

  /** The row's name in reports. */
  key(): ReportedKey {
    const { key } = this.#table
    if (key.length > 0) {
      const values = this.#read(key.map((name) => quoteIdentifier(name)).join(', '))
      if (values.every((value) => value !== null)) {
        return Object.fromEntries(key.map((name, at) => [name, reportedKeyValue(values[at])]))
      }
    }
    return Object.fromEntries(this.keyColumns.map((name, at) => [name, reportedKeyValue(this.row[at])]))
  }

  /** The whole row as it is stored. */
  readRow(): Record<string, unknown> {
    const names = this.#table.source.columns.filter((c) => !c.generated).map((c) => c.name)
    const values = this.#read(names.map((name) => quoteIdentifier(name)).join(', '))
    return Object.fromEntries(
      names.map((name, at) => {
        const value = values[at]
        if (Buffer.isBuffer(value)) return [name, { $bytes: value.toString('hex') }]
        // Text that JSON or Postgres could not give back is kept as its bytes.
        if (typeof value === 'string' && /[\0\uFFFD]/.test(value)) {
          const [bytes] = this.#read(`CAST(${quoteIdentifier(name)} AS BLOB)`) as [Buffer]
          return [name, { $text: bytes.toString('hex') }]
        }
        return [name, reportedValue(value)]
      }),
    )
  }

  #read(columns: string): unknown[] {
    const { name: table, rowid } = this.#table.source
    const literals = rowid === undefined
    const where = this.keyColumns
      .map((name, at) => `${keySql(name)} IS ${literals ? String(this.row[at]) : '?'}`)
      .join(' AND ')
    const sql = `SELECT ${columns} FROM ${quoteIdentifier(table)} WHERE ${where}`
    const known = this.#statements.get(sql)
    const statement = known ?? this.#database.prepare(sql).raw().safeIntegers(true)
    // With literals every row has a statement of its own.
    if (literals) return statement.get() as unknown[]
    this.#statements.set(sql, statement)
    return statement.get(...this.row.slice(0, this.keyColumns.length)) as unknown[]
  }

  /** A file in UTF-16 is compared in UTF-8, as the driver gives it. */
  #utf8(bytes: Buffer): Buffer {
    if (this.#utf16 === undefined) return bytes
    try {
      return Buffer.from(new TextDecoder(this.#utf16, { fatal: true, ignoreBOM: true }).decode(bytes))
    } catch {
      return bytes // no valid UTF-16: it will not compare equal, and is reported
    }
  }
}

function reportedKeyValue(value: unknown): string | number | null {
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value)
  return reportedValue(value)
}
