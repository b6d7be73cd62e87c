import { quoteIdentifier } from '@outgrow/databases/quote'
import type { SqliteDatabase } from '@outgrow/databases/sqlite'
import type { FixCounter } from '../../model/collectors.ts'
import { reportedValue } from '../../model/excerpt.ts'
import type { ReportedKey } from '../../model/finding.ts'
import type { PlannedTable } from '../../model/plan.ts'
import type { RowSelection } from '../../model/row.ts'
import { damagedSource } from './damaged.ts'
import type { Cell, EncodeContext, Storage } from '../../types/encode.ts'

/** SQL of a column that names a row: the rowid by its name, which is no identifier. */
export const keySql = (name: string) => (/^(rowid|_rowid_|oid)$/.test(name) ? name : quoteIdentifier(name))

/** The cell being encoded, and the means to read it again exactly. */
export class CellContext implements EncodeContext {
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
    if (!literals) this.#statements.set(sql, statement)
    const values = statement.get(...(literals ? [] : this.row.slice(0, this.keyColumns.length)))
    if (values === undefined) throw damagedSource(`SQLite does not find a row of ${table} by its own key.`)
    return values as unknown[]
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
