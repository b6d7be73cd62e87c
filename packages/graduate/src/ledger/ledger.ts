import {
  pipelined,
  type PostgresClient,
  quoteIdentifier,
  quoteLiteral,
  runStatements,
} from '@outgrow/databases'
import type { Correction } from '../model/correction.ts'
import type { Finding, ReportedKey } from '../model/finding.ts'
import type { FixReport, StepReport } from '../model/report.ts'
import type { Chunk, QuarantinedRow, RowsRead } from '../model/row.ts'
import { stagedName, type Staging } from '../model/staging.ts'

/** A chunk that this run has loaded, in this attempt or in an earlier one. */
export interface LoadedChunk {
  table: string
  low: string
  rows: number
  sum: bigint
  bytes: number
  quarantined: number
  findings: Finding[]
  fixes: FixReport[]
}

/** What is recorded of a chunk, in the transaction that loads it. */
export interface RecordedChunk {
  table: string
  chunk: Chunk
  read: RowsRead
  /** Sent. */
  bytes: number
}

/** A column that was loaded as text, and the type that the server is to give it. */
export interface PendingCast {
  schema: string
  table: string
  column: string
  type: string
  defaultSql: string | null
  done: boolean
  /** What was sent, as it reads after the cast: what the table is compared with from then on. */
  rows: string | null
  sum: string | null
}

/**
 * The record of one run, in the target: what was asked, what was loaded, corrected and quarantined. It lies in the run's own
 * schema, and is written in the transaction of what it records, so that a run that was killed knows what it has.
 */
export class Ledger {
  readonly schema: string
  readonly #client: PostgresClient

  /** @param client the run's own connection, for what is read and for what is written apart from other work */
  constructor(client: PostgresClient, { run, home }: Pick<Staging, 'run' | 'home'>) {
    this.#client = client
    this.schema = stagedName(run, home, undefined)
  }

  /** Makes the tables and the run's entry, within the caller's transaction. */
  async create(staging: Staging): Promise<void> {
    const at = quoteIdentifier(this.schema)
    const client = this.#client
    const tables = `
      CREATE TABLE ${at}._outgrow_run (
        id text PRIMARY KEY, status text NOT NULL, staging json NOT NULL, steps jsonb NOT NULL DEFAULT '[]');
      CREATE TABLE ${at}._outgrow_chunk (
        table_name text NOT NULL, low text NOT NULL, rows int8 NOT NULL, hash_sum numeric NOT NULL, bytes int8 NOT NULL,
        quarantined int8 NOT NULL, findings json NOT NULL, fixes json NOT NULL, PRIMARY KEY (table_name, low));
      CREATE TABLE ${at}._outgrow_correction (
        table_name text NOT NULL, column_name text NOT NULL, rule text NOT NULL, changed int8 NOT NULL,
        rows int8 NOT NULL, hash_sum numeric NOT NULL, keys json NOT NULL);
      CREATE TABLE ${at}._outgrow_cast (
        schema text, table_name text, column_name text, type text, default_sql text, done boolean DEFAULT false,
        rows int8, hash_sum numeric, PRIMARY KEY (schema, table_name, column_name));
      CREATE TABLE ${at}._outgrow_quarantine (
        id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, table_name text NOT NULL, key json NOT NULL,
        column_name text, reason text NOT NULL, row json NOT NULL)`
    await pipelined(client, () => [
      client.query(tables),
      client.query(`INSERT INTO ${at}._outgrow_run (id, status, staging) VALUES ($1, 'building', $2)`, [
        staging.run,
        JSON.stringify(staging),
      ]),
    ])
  }

  /** The run is not to be published, resumed or undone as a move is: its rows are followed. */
  async markLive(): Promise<void> {
    await this.#client.query(`UPDATE ${this.#at('_outgrow_run')} SET status = 'live'`)
  }

  async loadedChunks(): Promise<LoadedChunk[]> {
    const { rows } = await this.#client.query<
      Record<'table_name' | 'low' | 'rows' | 'hash_sum' | 'bytes' | 'quarantined', string> & {
        findings: Finding[]
        fixes: FixReport[]
      }
    >(`SELECT * FROM ${this.#at('_outgrow_chunk')}`)
    return rows.map(
      ({ table_name: table, low, rows: count, hash_sum: sum, bytes, quarantined, ...found }) => ({
        table,
        low,
        rows: Number(count),
        sum: BigInt(sum),
        bytes: Number(bytes),
        quarantined: Number(quarantined),
        ...found,
      }),
    )
  }

  /**
   * Records a chunk and commits it.
   * @param client the connection that loads the chunk, in its transaction
   */
  async commitChunk(client: PostgresClient, chunk: RecordedChunk): Promise<void> {
    await this.quarantineRows(client, chunk.read.quarantined)
    await runStatements(client, [this.chunkSql(chunk), 'COMMIT'])
  }

  /** SQL that records a chunk, but for the rows that it quarantines. */
  chunkSql({ table, chunk: { low }, read, bytes }: RecordedChunk): string {
    const { digest, quarantined, findings, fixes } = read
    const [found, fixed] = [findings, fixes].map((list) => quoteLiteral(JSON.stringify(list)))
    return `INSERT INTO ${this.#at('_outgrow_chunk')} VALUES (${quoteLiteral(table)}, ${quoteLiteral(low)}, ${digest.rows}, ${digest.sum}, ${bytes}, ${quarantined.length}, ${found}, ${fixed})`
  }

  /** The table of quarantined rows, while the run is being built. */
  get quarantine(): string {
    return this.#at('_outgrow_quarantine')
  }

  /** Names of tables that have rows in quarantine, while the run is not published. */
  async quarantinedTables(): Promise<string[]> {
    const { rows } = await this.#client.query<{ name: string }>(
      `SELECT DISTINCT table_name AS name FROM ${this.quarantine}`,
    )
    return rows.map(({ name }) => name)
  }

  /** Takes rows off that are to be judged anew. */
  async forgetQuarantined(table: string, keys: ReportedKey[]): Promise<void> {
    await this.#client.query(
      `DELETE FROM ${this.quarantine} WHERE table_name = $1 AND key::jsonb = ANY($2::jsonb[])`,
      [table, keys.map((key) => JSON.stringify(key))],
    )
  }

  /** @param client the connection that moves the rest, in its transaction */
  async quarantineRows(client: PostgresClient, rows: QuarantinedRow[]): Promise<void> {
    for (let at = 0; at < rows.length; at += 500) {
      const part = rows.slice(at, at + 500)
      await client.query(
        `INSERT INTO ${this.quarantine} (table_name, key, column_name, reason, row)
         SELECT * FROM unnest($1::text[], $2::json[], $3::text[], $4::text[], $5::json[])`,
        [
          part.map(({ table }) => table),
          part.map(({ key }) => JSON.stringify(key)),
          part.map(({ column }) => column),
          part.map(({ reason }) => reason),
          part.map(({ row }) => JSON.stringify(row)),
        ],
      )
    }
  }

  /** What resolving violations changed in this run, all attempts included. */
  async corrections(client: PostgresClient = this.#client): Promise<Correction[]> {
    const { rows } = await client.query<
      Record<'table_name' | 'column_name' | 'rule' | 'changed' | 'rows' | 'hash_sum', string>
    >(`SELECT * FROM ${this.#at('_outgrow_correction')}`)
    return rows.map((row) => ({
      table: row.table_name,
      column: row.column_name,
      rule: row.rule,
      changed: Number(row.changed),
      rows: Number(row.rows),
      sum: BigInt(row.hash_sum),
    }))
  }

  /** @param client the connection that makes the correction, in its transaction */
  async recordCorrection(client: PostgresClient, correction: Correction, keys: ReportedKey[]): Promise<void> {
    const { table, column, rule, changed, rows, sum } = correction
    await client.query(`INSERT INTO ${this.#at('_outgrow_correction')} VALUES ($1, $2, $3, $4, $5, $6, $7)`, [
      table,
      column,
      rule,
      changed,
      rows,
      String(sum),
      JSON.stringify(keys),
    ])
  }

  /** Keeps a column's type and default, before it is made text for the load. */
  async recordCast(
    cast: Pick<PendingCast, 'schema' | 'table' | 'column' | 'type' | 'defaultSql'>,
  ): Promise<void> {
    await this.#client.query(
      `INSERT INTO ${this.#at('_outgrow_cast')} (schema, table_name, column_name, type, default_sql) VALUES ($1, $2, $3, $4, $5)`,
      [cast.schema, cast.table, cast.column, cast.type, cast.defaultSql],
    )
  }

  async casts(): Promise<PendingCast[]> {
    const { rows } = await this.#client.query<PendingCast>(
      `SELECT schema, table_name AS table, column_name AS column, type, default_sql AS "defaultSql", done, rows, hash_sum AS sum
         FROM ${this.#at('_outgrow_cast')}`,
    )
    return rows
  }

  /** @param client the connection that casts the table's columns, in its transaction */
  async finishCasts(
    client: PostgresClient,
    { schema, name }: { schema: string; name: string },
    sent: { rows: number; sum: bigint },
  ): Promise<void> {
    await client.query(
      `UPDATE ${this.#at('_outgrow_cast')} SET done = true, rows = $3, hash_sum = $4 WHERE schema = $1 AND table_name = $2`,
      [schema, name, sent.rows, String(sent.sum)],
    )
  }

  /** The run's entry stays, since `verify` reads it; what was only needed to build goes. Within the caller's transaction. */
  async publish(
    { home, schemas }: Staging,
    result: Staging['result'],
    steps: readonly StepReport[],
  ): Promise<void> {
    const client = this.#client
    const { rows } = await client.query(`SELECT 1 FROM ${this.quarantine} LIMIT 1`)
    const others = Object.values(schemas).filter((staged) => staged !== this.schema)
    await pipelined(client, () => [
      runStatements(client, [
        rows.length > 0
          ? `ALTER TABLE ${this.quarantine} SET SCHEMA ${quoteIdentifier(home)}`
          : `DROP TABLE ${this.quarantine}`,
        `DROP TABLE ${this.#at('_outgrow_chunk')}, ${this.#at('_outgrow_cast')}`,
        ...others.map((staged) => `DROP SCHEMA ${quoteIdentifier(staged)}`),
      ]),
      client.query(
        `UPDATE ${this.#at('_outgrow_run')} SET status = 'published', steps = $1, staging = jsonb_set(staging::jsonb, '{result}', $2::jsonb)::json`,
        [JSON.stringify(steps), JSON.stringify(result)],
      ),
    ])
  }

  /** Keys of a table's rows that a published run quarantined, as JSON. */
  async quarantinedKeys({ home }: Staging, table: string): Promise<Set<string>> {
    const published = `${quoteIdentifier(home)}._outgrow_quarantine`
    const known = await this.#client.query<{ id: string | null }>('SELECT to_regclass($1) AS id', [published])
    if (known.rows[0]?.id == null) return new Set()
    const { rows } = await this.#client.query<{ key: object }>(
      `SELECT key FROM ${published} WHERE table_name = $1`,
      [table],
    )
    return new Set(rows.map(({ key }) => JSON.stringify(key)))
  }

  #at(table: string): string {
    return `${quoteIdentifier(this.schema)}.${table}`
  }
}
