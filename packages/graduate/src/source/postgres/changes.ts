import { pipelined, quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { backLogSequence, backLogTable, backLostSequence, type BackLog } from '../../model/back-log.ts'
import type { FollowedTable } from '../../model/change.ts'
import type { PlannedColumn } from '../../model/plan.ts'
import { binaryRow } from '../../types/binary-row.ts'
import { printed } from '../../types/read-form.ts'
import { isCast } from '../../types/value-types.ts'

/** Entries of a table's log, in the state that the connection's transaction sees. */
export interface LoggedChanges {
  table: FollowedTable
  /** Exactly those that are seen: others of lower numbers may be committed later. */
  ids: string[]
  /** All rows of the table may have changed. */
  everything: boolean
  /** A row had no key: NULL is allowed in one that is not a primary key. */
  isKeyless: boolean
}

/** The rows of a table that have changed. */
export interface ChangedRows {
  table: FollowedTable
  /** In binary COPY rows of the key's columns. Some have no row any more. */
  keys: Buffer[]
  /** In binary COPY form. */
  rows: Buffer[]
}

type Fields = (string | null)[]

/** What is selected of a column, so that its binary form comes back. */
interface SelectedColumn {
  sql: string
  isText: boolean
}

/** Reads the changes of a Postgres that logs them, for as long as its transaction sees one state. */
export class PostgresChanges {
  readonly #client: PostgresClient
  readonly #log: BackLog
  readonly #tables: readonly FollowedTable[]
  readonly #columns: ReadonlyMap<number, SelectedColumn[]>

  private constructor(
    client: PostgresClient,
    log: BackLog,
    tables: readonly FollowedTable[],
    columns: ReadonlyMap<number, SelectedColumn[]>,
  ) {
    this.#client = client
    this.#log = log
    this.#tables = tables
    this.#columns = columns
  }

  static async open(
    client: PostgresClient,
    log: BackLog,
    tables: readonly FollowedTable[],
  ): Promise<PostgresChanges> {
    const { rows } = await client.query<{ oid: number; send: string }>(
      'SELECT oid::int8::int AS oid, typsend::regproc::text AS send FROM pg_type WHERE oid = ANY($1::oid[])',
      [[...new Set(tables.flatMap(({ planned }) => planned.columns.map(({ target }) => target.typeOid)))]],
    )
    const sends = new Map(rows.map(({ oid, send }) => [oid, send]))
    const columns = tables.map(
      ({ number, planned }) =>
        [
          number,
          planned.columns.map((column) => selected(column, sends.get(column.target.typeOid))),
        ] as const,
    )
    return new PostgresChanges(client, log, tables, new Map(columns))
  }

  /**
   * The logs that have entries.
   * @throws Failure OUTGROW_BACK_OVERFLOWED where a change was not logged, which is known of all that have ended by now
   */
  async logged(tables: readonly FollowedTable[]): Promise<LoggedChanges[]> {
    if (tables.length === 0) return []
    const own = tables.map(
      (table, at) =>
        `SELECT ${at} AS at, array_agg(id::text ORDER BY id) AS ids, bool_or(everything) AS everything,
                bool_or(NOT everything AND (${table.key.map((_, part) => `k${part} IS NULL`).join(' OR ')})) AS "isKeyless"
           FROM ${backLogTable(this.#log, table)} HAVING count(*) > 0`,
    )
    const [{ rows }] = await pipelined(this.#client, () => [
      this.#client.query<Omit<LoggedChanges, 'table'> & { at: number }>(own.join(' UNION ALL ')),
      this.refuseLost(),
    ])
    return rows.map(({ at, ...logged }) => ({ ...logged, table: tables[at] as FollowedTable }))
  }

  /** @throws Failure OUTGROW_BACK_OVERFLOWED where a change was not logged */
  async refuseLost(): Promise<void> {
    const { rows } = await this.#client.query<{ lost: boolean }>(
      `SELECT is_called AS lost FROM ${backLostSequence(this.#log)}`,
    )
    if (!rows[0]?.lost) return
    throw new Failure({
      code: 'OUTGROW_BACK_OVERFLOWED',
      message:
        'The log of Postgres’ changes was full, and what came after it was not logged: there is no way back.',
      why: 'Nobody applied the log for a long time, and it must not fill the disk of the server.',
      fix: 'Stay in Postgres, and end the graduation: outgrow graduate complete.',
    })
  }

  /**
   * Rows are told apart by their keys: one that has none by now cannot go back.
   * @throws Failure OUTGROW_BACK_REFUSED
   */
  async refuseKeyless(logged: readonly LoggedChanges[]): Promise<void> {
    for (const { table } of logged.filter(({ isKeyless }) => isKeyless)) {
      const names = table.key.map((at) => (table.planned.columns[at] as PlannedColumn).target.name)
      const isNull = names.map((name) => `${quoteIdentifier(name)} IS NULL`).join(' OR ')
      const { rows } = await this.#client.query<{ count: string }>(
        `SELECT count(*)::text AS count FROM ${tableSql(table)} WHERE ${isNull}`,
      )
      const count = Number(rows[0]?.count ?? 0)
      if (count === 0) continue
      throw new Failure({
        code: 'OUTGROW_BACK_REFUSED',
        message: `${count} ${count === 1 ? 'row of' : 'rows of'} ${table.planned.source.name} in Postgres cannot go into the SQLite file: NULL in ${names.join(', ')}.`,
        why: 'These columns are the key by which rows are told apart, since the table has no primary key. Nothing was applied.',
        fix: 'Give them values in Postgres, or stay there: outgrow graduate complete.',
      })
    }
  }

  /** The distinct keys of some entries, and the rows that they have by now, in one round trip. */
  async changed(asked: readonly LoggedChanges[]): Promise<ChangedRows[]> {
    const answers = await pipelined(this.#client, () =>
      asked.flatMap(({ table, ids }) => [
        this.#client.query<Fields>({ text: this.#keysSql(table), values: [ids], rowMode: 'array' }),
        this.#client.query<Fields>({ text: this.#rowsSql(table), values: [ids], rowMode: 'array' }),
      ]),
    )
    return asked.map(({ table }, at) => ({
      table,
      keys: (answers[2 * at]?.rows ?? []).map((row) => binaryRow(row, this.#keyColumns(table))),
      rows: (answers[2 * at + 1]?.rows ?? []).map((row) => binaryRow(row, this.#of(table))),
    }))
  }

  /** Every row of a table, so many at a time. */
  async *everyRow(table: FollowedTable, atOnce: number): AsyncGenerator<Buffer[]> {
    const cursor = `outgrow_rows_${table.number}`
    await this.#client.query(
      `DECLARE ${cursor} NO SCROLL CURSOR FOR SELECT ${this.#select(table)} FROM ${tableSql(table)} t`,
    )
    for (;;) {
      const { rows } = await this.#client.query<Fields>({
        text: `FETCH ${atOnce} FROM ${cursor}`,
        rowMode: 'array',
      })
      if (rows.length === 0) break
      yield rows.map((row) => binaryRow(row, this.#of(table)))
    }
    await this.#client.query(`CLOSE ${cursor}`)
  }

  /** Takes entries off the logs that were applied, which makes room for others. */
  async forget(changes: readonly LoggedChanges[]): Promise<void> {
    if (changes.length === 0) return
    const left = this.#tables.map((table) => `(SELECT count(*) FROM ${backLogTable(this.#log, table)})`)
    await pipelined(this.#client, () => [
      ...changes.map(({ table, ids }) =>
        this.#client.query(`DELETE FROM ${backLogTable(this.#log, table)} WHERE id = ANY($1::int8[])`, [ids]),
      ),
      this.#client.query(
        `UPDATE ${this.#log.record} SET log_limit = greatest(log_limit, (SELECT last_value FROM ${backLogSequence(this.#log)}) + max_log - ${left.join(' - ')})`,
      ),
    ])
  }

  #keysSql(table: FollowedTable): string {
    const columns = this.#keyColumns(table).map(({ sql }, at) => sql.replaceAll('t.*', `l.k${at}`))
    return `SELECT DISTINCT ${columns.join(', ')} FROM ${backLogTable(this.#log, table)} l WHERE l.id = ANY($1::int8[]) AND NOT l.everything`
  }

  #rowsSql(table: FollowedTable): string {
    const { planned, key } = table
    const names = key.map((at) => (planned.columns[at] as PlannedColumn).target.name)
    const same = names.map((name, at) => `t.${quoteIdentifier(name)} = l.k${at}`).join(' AND ')
    return `SELECT ${this.#select(table)} FROM ${tableSql(table)} t WHERE EXISTS (
              SELECT 1 FROM ${backLogTable(this.#log, table)} l WHERE l.id = ANY($1::int8[]) AND ${same})`
  }

  #of({ number }: FollowedTable): SelectedColumn[] {
    return this.#columns.get(number) as SelectedColumn[]
  }

  #keyColumns(table: FollowedTable): SelectedColumn[] {
    return table.key.map((at) => this.#of(table)[at] as SelectedColumn)
  }

  #select(table: FollowedTable): string {
    return this.#of(table)
      .map(({ sql }, at) =>
        sql.replaceAll(
          't.*',
          `t.${quoteIdentifier((table.planned.columns[at] as PlannedColumn).target.name)}`,
        ),
      )
      .join(', ')
  }
}

/** `t.*` stands for the column. Text comes as it is, anything else as the bytes of its binary form. */
function selected(column: PlannedColumn, send: string | undefined): SelectedColumn {
  const { type, enumValues } = column.target
  const isText = enumValues !== undefined || type === 'text' || type === 'varchar'
  if (isCast(column)) return { sql: printed('t.*'), isText: true }
  if (isText) return { sql: 't.*::text', isText: true }
  return { sql: type === 'bytea' ? 't.*::bytea' : `${send}(t.*)`, isText: false }
}

function tableSql({ planned: { target } }: FollowedTable): string {
  return `${quoteIdentifier(target.schema)}.${quoteIdentifier(target.name)}`
}
