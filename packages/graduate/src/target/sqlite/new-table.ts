import { quoteIdentifier, type SqliteDatabase } from '@outgrow/databases'
import { messageOf } from '@outgrow/kit'
import type { FindingCollector } from '../../model/collectors.ts'
import { excerptOf, reportedValue } from '../../model/excerpt.ts'
import type { ReportedKey } from '../../model/finding.ts'
import type { PlannedColumn, PlannedTable } from '../../model/plan.ts'
import { refused, type Refused } from '../../types/encode.ts'
import type { Check, HeldValues } from './held-value.ts'
import { storedForm, type Spelling, type StoredForm } from './stored-form.ts'

interface WrittenColumn {
  column: PlannedColumn
  form: StoredForm
  check: Check | undefined
  /** False for a column that the file computes. */
  isWritten: boolean
}

/** A table of a new file, into which rows of Postgres go. What the file cannot hold as it is, is named and left out. */
export class NewTable {
  readonly #table: PlannedTable
  readonly #columns: WrittenColumn[]
  readonly #findings: FindingCollector
  readonly #insert: ReturnType<SqliteDatabase['prepare']>
  /** Rows that came. */
  rows = 0

  /** @param table with its columns in the types in which they are read */
  constructor(
    database: SqliteDatabase,
    table: PlannedTable,
    { held, findings, moments }: { held: HeldValues; findings: FindingCollector; moments: Spelling },
  ) {
    this.#table = table
    this.#findings = findings
    this.#columns = table.columns.map((column) => {
      const own = table.source.columns.find(({ name }) => name === column.source)
      const isWritten = own?.generated !== true
      return {
        column,
        form: storedForm(column, () => moments),
        check: isWritten ? held.check(column, own?.declaredType ?? '') : undefined,
        isWritten,
      }
    })
    const names = this.#columns
      .filter(({ isWritten }) => isWritten)
      .map(({ column }) => quoteIdentifier(column.source))
    const values =
      names.length === 0
        ? 'DEFAULT VALUES'
        : `(${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
    this.#insert = database.prepare(`INSERT INTO ${quoteIdentifier(table.source.name)} ${values}`)
  }

  /** Puts a row in that is in binary COPY form. */
  add(row: Buffer): void {
    this.rows++
    const values: unknown[] = []
    let isBad = false
    let at = 2
    for (const written of this.#columns) {
      const length = row.readInt32BE(at)
      const field = length < 0 ? null : row.subarray(at + 4, at + 4 + length)
      at += 4 + Math.max(length, 0)
      if (!written.isWritten) continue
      const { value, refusal } = valueOf(written, field)
      if (refusal !== undefined) {
        isBad = true
        this.#name(row, written.column.source, excerptOf(value), refusal)
      }
      values.push(value)
    }
    if (isBad) return
    try {
      this.#insert.run(values)
    } catch (error) {
      const { code = '' } = error as { code?: string }
      if (!/^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG)/.test(code)) throw error
      this.#name(row, null, null, refused(`is refused by the file’s table: ${messageOf(error)}`))
    }
  }

  #name(row: Buffer, column: string | null, excerpt: string | null, { reason }: Refused): void {
    const table = this.#table.source.name
    const fixes = [
      'change the value in Postgres',
      column === null ? `--skip-table ${table}` : `--skip-column ${table}.${column}`,
    ]
    this.#findings.add(
      { code: 'OUTGROW_BAD_VALUE', table, column, storage: null, excerpt, reason, fixes },
      this.#keyOf(row),
    )
  }

  /** The row's key; of a table that has none, which row it was. */
  #keyOf(row: Buffer): ReportedKey {
    const { key } = this.#table
    const parts: ReportedKey = {}
    let at = 2
    for (const written of this.#columns) {
      const length = row.readInt32BE(at)
      const field = length < 0 ? null : row.subarray(at + 4, at + 4 + length)
      at += 4 + Math.max(length, 0)
      if (key.includes(written.column.source))
        parts[written.column.source] = reportedValue(valueOf(written, field).value)
    }
    return Object.keys(parts).length > 0 ? parts : { row: this.rows }
  }
}

function valueOf(
  { form, check }: WrittenColumn,
  field: Buffer | null,
): { value: unknown; refusal?: Refused } {
  let value: unknown
  try {
    value = form(field)
  } catch (error) {
    const { code } = error as { code?: string }
    if (code !== 'ERR_STRING_TOO_LONG') throw error
    return { value: null, refusal: refused('is a text that is too long') }
  }
  const refusal = field === null ? undefined : check?.(field, value)
  return refusal === undefined ? { value } : { value, refusal }
}
