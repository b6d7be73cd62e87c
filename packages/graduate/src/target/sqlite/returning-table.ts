import { setImmediate } from 'node:timers/promises'
import { asidePrefix, nameBeforeAside, quoteIdentifier, type SqliteDatabase } from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import type { FollowedTable } from '../../model/change.ts'
import { addDigests, emptyDigest, type Digest } from '../../model/digest.ts'
import { fieldsOf, keyBytes } from '../../model/key-digests.ts'
import type { PlannedColumn } from '../../model/plan.ts'
import type { FindRows, FoundRow, RowSelection } from '../../model/row.ts'
import { RowHasher } from '../../model/row-hasher.ts'
import { isCast, isSentAsList, sqlType } from '../../types/value-types.ts'
import { otherForms, spelledAs, storedForm, type StoredForm } from './stored-form.ts'

type Statement = ReturnType<typeof prepared>
const prepared = (database: SqliteDatabase, sql: string) => database.prepare(sql)

/** Read at a time. */
const rowsAtOnce = 2000
/** Places that are kept in memory: where there are more, the table is read each time. */
const mostOdd = 100_000
/** The greatest rowid. */
const lastPlace = 2n ** 63n - 1n

/**
 * A table of the file to which changes of the target are applied: all changed rows are lifted out of it first, whichever
 * unique values they have, and those that are there now are put in. A column that has not changed keeps its value as the
 * application once wrote it, down to its spelling.
 */
export class ReturningTable {
  readonly table: FollowedTable
  readonly #database: SqliteDatabase
  readonly #find: FindRows
  readonly #hasher: RowHasher
  readonly #forms: StoredForm[]
  readonly #kept: string
  readonly #sought: string
  readonly #columns: string[]
  readonly #isPlain: boolean
  readonly #ownRowid: string | undefined
  /** Of the next new row, where rows have a rowid of their own; undefined until it is asked for. */
  #place: bigint | undefined
  /** Where the rows are whose keys are spelled as nobody would look for them; undefined until that is known. */
  #odd: ReadonlyMap<string, RowSelection> | undefined
  /** By their text: each is run for every row. */
  readonly #statements = new Map<string, Statement>()

  /**
   * @param table by its name while it is aside
   * @param find reads its rows; of columns that the server casts, only whether they are there
   * @param ownRowid the name of the rowid, where it does not come with the columns
   */
  constructor(
    database: SqliteDatabase,
    table: FollowedTable,
    { find, ownRowid }: { find: FindRows; ownRowid: string | undefined },
  ) {
    const { planned, number } = table
    this.table = table
    this.#database = database
    this.#find = find
    this.#ownRowid = ownRowid
    this.#hasher = new RowHasher(planned.columns.map(isSentAsList))
    this.#forms = planned.columns.map((column) =>
      storedForm(column, () => spelledAs(database, planned.source.name, column.source)),
    )
    this.#kept = `temp._outgrow_kept_${number}`
    this.#sought = `temp._outgrow_sought_${number}`
    this.#columns = planned.source.columns.filter(({ generated }) => !generated).map(({ name }) => name)
    this.#isPlain = this.#keys().every(isFoundByValue)
    const names = this.#columns.map(quoteIdentifier).join(', ')
    database.exec(
      `CREATE TEMP TABLE IF NOT EXISTS _outgrow_kept_${number} (_outgrow_key BLOB PRIMARY KEY, _outgrow_row BLOB, _outgrow_place INTEGER, ${names});
       CREATE TEMP TABLE IF NOT EXISTS _outgrow_sought_${number} (${this.#keys()
         .map(({ source }) => quoteIdentifier(source))
         .join(', ')})`,
    )
  }

  /**
   * Looks for the rows that are not found by usual spellings of their keys, so that rows are found without reading the whole
   * table from then on, while the application waits. Only this changes the table, and it spells keys as usual.
   */
  async prepare(signal: AbortSignal): Promise<void> {
    if (this.#isPlain || this.#keys().some(isCast)) return
    const odd = new Map<string, RowSelection>()
    for (const piece of this.#pieces()) {
      signal.throwIfAborted()
      const sought = this.#database.transaction(() => this.#seek(piece.map(({ row }) => this.#keyRow(row))))()
      const found = new Set(sought.map(({ row }) => this.keyOf(row)))
      for (const { row, place } of piece) {
        const key = this.keyOf(row)
        if (!found.has(key)) odd.set(key, place)
      }
      if (odd.size > mostOdd) return
      await setImmediate()
    }
    this.#odd = odd
  }

  /** Lifts the rows of these keys out, keys in binary COPY form of the key's columns. */
  lift(keys: readonly Buffer[]): void {
    for (const found of this.#rowsOf(keys)) this.#keep(found)
  }

  /** Lifts every row out. */
  liftAll(): void {
    for (const piece of this.#pieces()) for (const found of piece) this.#keep(found)
  }

  /**
   * Puts rows in, in binary COPY form: those of lifted keys, and new ones.
   * @returns their digest, as the target has them
   * @throws Failure OUTGROW_BACK_REFUSED where a rule of the file's table refuses one
   */
  put(rows: readonly Buffer[]): Digest {
    let digest = emptyDigest
    for (const row of rows) {
      digest = addDigests(digest, { rows: 1, sum: this.#hasher.hashOf(this.#comparable(row)) })
      const key = keyBytes(row, this.table.key)
      const before = this.#prepared(`SELECT _outgrow_row FROM ${this.#kept} WHERE _outgrow_key = ?`)
        .pluck()
        .get(key) as Buffer | undefined
      if (before) this.#putBack(key, fieldsOf(before), fieldsOf(row))
      else this.#insert(fieldsOf(row))
    }
    return digest
  }

  /** The digest of the rows that the file has under the keys of `rows`. */
  digestOf(rows: readonly Buffer[]): Digest {
    return this.#digestOf(this.#rowsOf(rows.map((row) => this.#keyRow(row))))
  }

  /** The digest of every row that the file has. */
  digestOfAll(): Digest {
    let digest = emptyDigest
    for (const piece of this.#pieces()) digest = addDigests(digest, this.#digestOf(piece))
    return digest
  }

  /** In words, what of `rows` the file has in another way than they say; undefined where it has them as they are. */
  differenceIn(rows: readonly Buffer[]): string | undefined {
    const wanted = new Map(rows.map((row) => [this.keyOf(row), this.#comparable(row)]))
    const { columns } = this.table.planned
    for (const { row } of this.#rowsOf(rows.map((one) => this.#keyRow(one)))) {
      const expected = wanted.get(this.keyOf(row))
      if (expected === undefined || expected.equals(row)) continue
      const [own, given] = [fieldsOf(row), fieldsOf(expected)]
      const names = columns.flatMap(({ source }, at) =>
        own[at]?.equals(given[at] as Buffer) ? [] : [source],
      )
      return `${names.join(', ')} of the row ${this.#named(row)}`
    }
    return undefined
  }

  /** Tells a row's key from any other. */
  keyOf(row: Buffer): string {
    return keyBytes(row, this.table.key).toString('latin1')
  }

  /** Forgets what was lifted. */
  end(): void {
    this.#database.exec(`DELETE FROM ${this.#kept}; DELETE FROM ${this.#sought}`)
    this.#place = undefined
  }

  #keys(): PlannedColumn[] {
    return this.table.key.map((at) => this.#column(at))
  }

  /** A row's key in binary COPY form. */
  #keyRow(row: Buffer): Buffer {
    return Buffer.concat([Buffer.alloc(2), keyBytes(row, this.table.key)])
  }

  #digestOf(found: readonly FoundRow[]): Digest {
    return found.reduce(
      (digest, { row }) => addDigests(digest, { rows: 1, sum: this.#hasher.hashOf(row) }),
      emptyDigest,
    )
  }

  /** The rows that have these keys, however the file spells them. */
  #rowsOf(keys: readonly Buffer[]): FoundRow[] {
    if (keys.length === 0) return []
    const wanted = new Set(keys.map((key) => key.subarray(2).toString('latin1')))
    const isWanted = ({ row }: FoundRow) => wanted.has(this.keyOf(row))
    if (!this.#isPlain && this.#odd === undefined) {
      const all: FoundRow[] = []
      for (const piece of this.#pieces()) all.push(...piece.filter(isWanted))
      return all
    }
    const found = new Map(this.#seek(keys).map((one) => [this.keyOf(one.row), one]))
    for (const key of wanted) {
      const place = found.has(key) ? undefined : this.#odd?.get(key)
      // Somebody else may be in that place by now.
      for (const one of place ? this.#find(place) : []) found.set(this.keyOf(one.row), one)
    }
    return [...found.values()].filter(isWanted)
  }

  /** Rows that have these keys by their usual spellings, and some more where a collation says so. */
  #seek(keys: readonly Buffer[]): FoundRow[] {
    const names = this.#keys().map(({ source }) => quoteIdentifier(source))
    this.#database.exec(`DELETE FROM ${this.#sought}`)
    const seek = this.#prepared(`INSERT INTO ${this.#sought} VALUES (${names.map(() => '?').join(', ')})`)
    for (const key of keys) {
      const spelled = fieldsOf(key).map((field, at) => this.#spellings(this.table.key[at] as number, field))
      for (const values of combined(spelled)) seek.run(values)
    }
    const own = names.length > 1 ? `(${names.join(', ')})` : (names[0] as string)
    return this.#find({ where: `${own} IN (SELECT ${names.join(', ')} FROM ${this.#sought})`, values: [] })
  }

  #spellings(at: number, field: Buffer): unknown[] {
    const stored = this.#stored(at, field)
    const others = this.#isPlain || stored === null ? [] : otherForms(this.#column(at), field.subarray(4))
    return [...new Set([stored, ...others])]
  }

  /** Every row, so many at a time where rows have a rowid. Those that were given may be lifted out meanwhile. */
  *#pieces(): Generator<FoundRow[]> {
    const { name, rowid } = this.table.planned.source
    if (rowid === undefined) {
      yield this.#find({ where: 'true', values: [] })
      return
    }
    const ends = this.#database
      .prepare(
        `SELECT max(place) FROM (SELECT ${rowid} AS place FROM ${quoteIdentifier(name)} WHERE ${rowid} > ? ORDER BY ${rowid} LIMIT ${rowsAtOnce})`,
      )
      .safeIntegers()
      .pluck()
    // SQLite compares it as a number, below every rowid.
    for (let last: bigint | number = -Infinity; ;) {
      const end = ends.get(last) as bigint | null
      if (end === null) return
      yield this.#find({ where: `${rowid} > ? AND ${rowid} <= ?`, values: [last, end] })
      last = end
    }
  }

  #comparable(row: Buffer): Buffer {
    const { columns } = this.table.planned
    if (!columns.some(isCast)) return row
    const nothing = Buffer.alloc(4)
    const fields = fieldsOf(row).map((field, at) =>
      isCast(columns[at] as PlannedColumn) && field.readInt32BE() >= 0 ? nothing : field,
    )
    return Buffer.concat([row.subarray(0, 2), ...fields])
  }

  #keep({ row, place }: FoundRow): void {
    const { name, rowid } = this.table.planned.source
    const names = this.#columns.map(quoteIdentifier).join(', ')
    const from = `FROM ${quoteIdentifier(name)} WHERE ${place.where}`
    // A row without a rowid is found by literals: a statement of its own, which is not kept.
    const statement = (sql: string) =>
      rowid === undefined ? prepared(this.#database, sql) : this.#prepared(sql)
    statement(`INSERT INTO ${this.#kept} SELECT ?, ?, ${rowid ?? 'NULL'}, ${names} ${from}`).run(
      keyBytes(row, this.table.key),
      row,
      ...place.values,
    )
    statement(`DELETE ${from}`).run(...place.values)
  }

  #putBack(key: Buffer, before: Buffer[], now: Buffer[]): void {
    const changed = this.table.planned.columns.flatMap((column, at) =>
      isCast(column) || !before[at]?.equals(now[at] as Buffer) ? [at] : [],
    )
    if (changed.length > 0) {
      const set = changed.map((at) => `${quoteIdentifier(this.#sourceOf(at))} = ?`).join(', ')
      this.#prepared(`UPDATE ${this.#kept} SET ${set} WHERE _outgrow_key = ?`).run(
        ...changed.map((at) => this.#stored(at, now[at] as Buffer)),
        key,
      )
    }
    const { name } = this.table.planned.source
    const rowid = this.#ownRowid
    const names = this.#columns.map(quoteIdentifier)
    const into = [...(rowid === undefined ? [] : [rowid]), ...names].join(', ')
    const from = [...(rowid === undefined ? [] : ['_outgrow_place']), ...names].join(', ')
    this.#accepted(now, () =>
      this.#prepared(
        `INSERT INTO ${quoteIdentifier(name)} (${into}) SELECT ${from} FROM ${this.#kept} WHERE _outgrow_key = ?`,
      ).run(key),
    )
  }

  /**
   * Takes a row away that could not be moved, and has the key of one that comes: nobody else has it in the target. It stays in
   * the quarantine of the run.
   * @returns whether there was one
   */
  #takeAway(row: Buffer[]): boolean {
    const keys = this.#keys()
    const where = keys.map(({ source }) => `${quoteIdentifier(source)} = ?`).join(' AND ')
    const values = this.table.key.map((at) => this.#stored(at, row[at] as Buffer))
    // Rows that could be moved were lifted, if they have this key; a collation may find others.
    if (this.#find({ where, values }).length > 0) return false
    const { name } = this.table.planned.source
    return this.#prepared(`DELETE FROM ${quoteIdentifier(name)} WHERE ${where}`).run(...values).changes > 0
  }

  /** A new row goes behind all others, also behind those that were lifted and are yet to be put back in their places. */
  #insert(now: Buffer[]): void {
    const { columns, source } = this.table.planned
    const rowid = this.#ownRowid
    const place = rowid === undefined ? undefined : this.#nextPlace(rowid)
    const names = columns.map(({ source: name }) => quoteIdentifier(name))
    const into = place === undefined ? names : [rowid as string, ...names]
    const values = now.map((field, at) => this.#stored(at, field))
    this.#accepted(now, () =>
      this.#prepared(
        `INSERT INTO ${quoteIdentifier(source.name)} (${into.join(', ')}) VALUES (${into.map(() => '?').join(', ')})`,
      ).run(...(place === undefined ? [] : [place]), ...values),
    )
  }

  #prepared(sql: string): Statement {
    const known = this.#statements.get(sql) ?? prepared(this.#database, sql)
    this.#statements.set(sql, known)
    return known
  }

  /** Undefined where none is left: SQLite looks for one that is free. */
  #nextPlace(rowid: string): bigint | undefined {
    if (this.#place === undefined) {
      const { name } = this.table.planned.source
      this.#place = this.#database
        .prepare(
          `SELECT max(coalesce((SELECT max(${rowid}) FROM ${quoteIdentifier(name)}), 0), coalesce((SELECT max(_outgrow_place) FROM ${this.#kept}), 0))`,
        )
        .safeIntegers()
        .pluck()
        .get() as bigint
    }
    if (this.#place >= lastPlace) return undefined
    this.#place += 1n
    return this.#place
  }

  /** Runs what puts a row in, and says which it is if the table refuses it. */
  #accepted(row: Buffer[], run: () => unknown): void {
    try {
      run()
    } catch (cause) {
      const { code = '' } = cause as { code?: string }
      if (!/^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG)/.test(code)) throw cause
      if (/_(PRIMARYKEY|UNIQUE|ROWID)$/.test(code) && this.#takeAway(row)) {
        this.#accepted(row, run)
        return
      }
      const name = this.table.planned.source.name
      throw new Failure({
        code: 'OUTGROW_BACK_REFUSED',
        message: `The row ${this.#named(Buffer.concat([Buffer.alloc(2), ...row]))} of ${nameBeforeAside(name)} in Postgres cannot go into the SQLite file: ${messageOf(cause).replaceAll(asidePrefix, '')}.`,
        why: 'The file’s table has a rule that Postgres’ does not have. Nothing was applied.',
        fix: 'Change the row in Postgres, or stay there: outgrow graduate complete.',
        cause,
      })
    }
  }

  /** A row's key, as people read it. */
  #named(row: Buffer): string {
    const fields = fieldsOf(row)
    return this.table.key
      .map((at) => `${this.#sourceOf(at)}=${shown(this.#stored(at, fields[at] as Buffer))}`)
      .join(' ')
  }

  #sourceOf(at: number): string {
    return this.#column(at).source
  }

  #column(at: number): PlannedColumn {
    return this.table.planned.columns[at] as PlannedColumn
  }

  #stored(at: number, field: Buffer): unknown {
    return this.#forms[at]?.(field.readInt32BE() < 0 ? null : field.subarray(4))
  }
}

/** Every way to take one of each. */
function combined(choices: readonly unknown[][]): unknown[][] {
  return choices.reduce<unknown[][]>(
    (all, own) => all.flatMap((one) => own.map((choice) => [...one, choice])),
    [[]],
  )
}

function shown(value: unknown): string {
  const text = Buffer.isBuffer(value) ? `x'${value.toString('hex')}'` : String(value)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/** Whether the value of a key says how the file spells it, so that an index finds it. */
function isFoundByValue({ target, castTo }: PlannedColumn): boolean {
  if (castTo !== undefined || target.element || target.enumValues) return target.enumValues !== undefined
  return /^(int[248]|text|varchar)$/.test(target.type) && sqlType(target.type) !== undefined
}
