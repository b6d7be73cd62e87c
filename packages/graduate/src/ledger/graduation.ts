import {
  pipelined,
  quoteIdentifier,
  type BatchStatement,
  type GraduationState,
  type PostgresClient,
} from '@outgrow/databases'
import { backLogTable } from '../model/back-log.ts'
import type { FollowedTable } from '../model/change.ts'
import type { StoredMigration } from '@outgrow/schema'
import type { TableReport } from '../model/report.ts'
import { stagedName, type Staging } from '../model/staging.ts'
import { findRuns } from './runs.ts'

/** When both sides were last compared whole. */
export interface LastVerification {
  /** ISO 8601. */
  at: string
  /** Of the log, in the file; 0 on the way back. */
  position: number
  rows: number
  isEqual: boolean
  /** Rows that point nowhere: the foreign keys would refuse them. */
  orphans: number
  ms: number
}

/** A graduation as the target knows it. */
export interface Graduation {
  /** Its name, and that of the run that copied the rows. */
  name: string
  /** Path of the file, on the machine whose name is `host`. */
  file: string
  host: string
  state: Exclude<GraduationState, 'capturing' | 'copying' | 'completed'>
  epoch: number
  /** Entries of the file's log up to this one were applied. */
  applied: number
  tables: FollowedTable[]
  /** ISO 8601. */
  startedAt: string
  /** Its tables have been in place once. */
  isPlaced: boolean
  /** Statements that switch triggers on again, which are off while the target follows. */
  enable: string[]
  /** Of the switch whose aftermath was seen to: foreign keys, structure; 0 before. */
  finishedEpoch: number
  /** When the target was last equal to the file, as far as it is recorded. ISO 8601. */
  lookedAt: string
  verified: LastVerification | null
  /** Times that the write lock was held at rehearsals and switches, in ms. */
  pauses: Pause[]
  /** Entries that the log of the way back takes, at most. */
  maxLog: number
  /** The history's first entry, which is written into the project once the target has the authority. */
  baseline: PlannedBaseline | null
}

interface PlannedBaseline {
  /** Where it belongs: a folder of the project, and the schema beside it. */
  postgresDirectory: string
  postgresSchema: string
  hasMigrations: boolean
  migrations: StoredMigration[]
}

export interface Pause {
  kind: 'rehearsal' | 'cutover' | 'rollback'
  /** ISO 8601. */
  at: string
  /** The lock was held for it. */
  ms: number
}

/** What somebody else asks of the process that follows. */
export interface GraduationRequest {
  id: string
  kind: 'cutover' | 'rehearse' | 'stop'
  /** Null: as the process that follows was told. */
  budgetMs: number | null
  /** Of rehearsals. */
  times: number
  leavesBehind: boolean
}

/** The record of a graduation, in the schema of the run that copied the rows. */
export class GraduationLedger {
  readonly schema: string
  readonly #client: PostgresClient

  constructor(client: PostgresClient, { run, home }: Pick<Staging, 'run' | 'home'>) {
    this.#client = client
    this.schema = stagedName(run, home, undefined)
  }

  get table(): string {
    return `${quoteIdentifier(this.schema)}._outgrow_live`
  }

  /** Makes the record, within the caller's transaction. */
  async create(graduation: Graduation): Promise<void> {
    const { name, file, host, state, epoch, applied, tables, startedAt, maxLog, baseline } = graduation
    await this.#client.query(
      `CREATE TABLE ${this.table} (
         id int4 PRIMARY KEY CHECK (id = 1), name text NOT NULL, file text NOT NULL, host text NOT NULL, state text NOT NULL,
         epoch int8 NOT NULL, applied int8 NOT NULL, tables json NOT NULL, started_at text NOT NULL, is_placed boolean NOT NULL DEFAULT false, enable jsonb NOT NULL DEFAULT '[]', finished_epoch int8 NOT NULL DEFAULT 0, looked_at timestamptz NOT NULL DEFAULT clock_timestamp(), verified json,
         pauses jsonb NOT NULL DEFAULT '[]', max_log int8 NOT NULL, log_limit int8 NOT NULL, back_applied int8 NOT NULL DEFAULT 0, baseline json, asked_at timestamptz, request json, answer json)`,
    )
    await this.#client.query(
      `INSERT INTO ${this.table} (id, name, file, host, state, epoch, applied, tables, started_at, max_log, log_limit, baseline)
       VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)`,
      [
        name,
        file,
        host,
        state,
        epoch,
        applied,
        JSON.stringify(tables),
        startedAt,
        maxLog,
        baseline && JSON.stringify(baseline),
      ],
    )
  }

  /** Whether the run came so far that it has one. */
  async exists(): Promise<boolean> {
    const { rows } = await this.#client.query<{ id: string | null }>('SELECT to_regclass($1) AS id', [
      this.table,
    ])
    return rows[0]?.id != null
  }

  async read(): Promise<Graduation> {
    const { rows } = await this.#client.query<
      Graduation & Record<'epoch' | 'applied' | 'maxLog' | 'finishedEpoch', string>
    >(
      `SELECT name, file, host, state, epoch, applied, tables, started_at AS "startedAt", is_placed AS "isPlaced", enable, finished_epoch AS "finishedEpoch", to_json(looked_at)#>>'{}' AS "lookedAt", verified, pauses, baseline, max_log AS "maxLog" FROM ${this.table}`,
    )
    const [row] = rows
    if (!row) throw new Error(`${this.table} is empty`)
    return {
      ...row,
      epoch: Number(row.epoch),
      applied: Number(row.applied),
      maxLog: Number(row.maxLog),
      finishedEpoch: Number(row.finishedEpoch),
    }
  }

  /** Moves the position on, unless somebody else has: then the statement returns no row. */
  advance({ epoch, applied }: Pick<Graduation, 'epoch' | 'applied'>, to: number): BatchStatement {
    return {
      sql: `UPDATE ${this.table} SET applied = $1, looked_at = clock_timestamp() WHERE epoch = $2 AND applied = $3 AND state = 'following' RETURNING 1`,
      values: [String(to), String(epoch), String(applied)],
    }
  }

  /** SQL that gives the authority to one side or the other, in the transaction that moves the tables. */
  switchSql(epoch: number, state: Graduation['state'], applied?: number): string {
    const position = applied === undefined ? '' : `, applied = ${applied}`
    return `UPDATE ${this.table} SET epoch = ${epoch}, state = '${state}', is_placed = true${position}`
  }

  /** SQL that gives the authority back to the file: what the target has logged until then was applied to it. */
  returnSql(epoch: number, sequence: string): string {
    return `UPDATE ${this.table} SET epoch = ${epoch}, state = 'following', back_applied = (SELECT last_value FROM ${sequence}), log_limit = (SELECT last_value FROM ${sequence}) + max_log`
  }

  async recordFinished(): Promise<void> {
    await this.#client.query(`UPDATE ${this.table} SET finished_epoch = epoch`)
  }

  /** Records that nothing was left to apply. */
  async recordLook(): Promise<void> {
    await this.#client.query(`UPDATE ${this.table} SET looked_at = clock_timestamp()`)
  }

  /** Keeps what is to be switched on again when the tables are in place. */
  async recordSwitchedOff(statements: string[]): Promise<void> {
    if (statements.length === 0) return
    await this.#client.query(`UPDATE ${this.table} SET enable = enable || $1::jsonb`, [
      JSON.stringify(statements),
    ])
  }

  /** Takes what was applied before a return off the target's logs. */
  async forgetApplied(): Promise<void> {
    const { tables } = await this.read()
    const log = { schema: this.schema, record: this.table }
    await pipelined(this.#client, () =>
      tables.map((table) =>
        this.#client.query(
          `DELETE FROM ${backLogTable(log, table)} WHERE id <= (SELECT back_applied FROM ${this.table})`,
        ),
      ),
    )
  }

  async recordVerification(verified: LastVerification): Promise<void> {
    await this.#client.query(`UPDATE ${this.table} SET verified = $1`, [JSON.stringify(verified)])
  }

  /** The newest thousand are kept. */
  async recordPauses(pauses: Pause[]): Promise<void> {
    await this.#client.query(
      `UPDATE ${this.table} SET pauses = (SELECT coalesce(jsonb_agg(p ORDER BY n), '[]') FROM (
         SELECT p, n FROM jsonb_array_elements(pauses || $1::jsonb) WITH ORDINALITY AS x(p, n) ORDER BY n DESC LIMIT 1000) kept)`,
      [JSON.stringify(pauses)],
    )
  }

  /** Asks something of the process that follows. Returns whether it could be: one thing is asked at a time. */
  async ask(request: GraduationRequest): Promise<boolean> {
    const { rowCount } = await this.#client.query(
      `UPDATE ${this.table} SET request = $1, answer = NULL, asked_at = clock_timestamp() WHERE request IS NULL`,
      [JSON.stringify(request)],
    )
    return rowCount === 1
  }

  /** Takes a request back, which nobody waits for any more. */
  async withdraw(id: string): Promise<void> {
    await this.#client.query(`UPDATE ${this.table} SET request = NULL WHERE request->>'id' = $1`, [id])
  }

  /** Takes back what was asked of a process that followed before this session: who asked that is gone, or asks again. */
  async forgetRequests(): Promise<void> {
    await this.#client.query(
      `UPDATE ${this.table} SET request = NULL
        WHERE asked_at < (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())`,
    )
  }

  async request(): Promise<GraduationRequest | undefined> {
    const { rows } = await this.#client.query<{ request: GraduationRequest | null }>(
      `SELECT request FROM ${this.table}`,
    )
    return rows[0]?.request ?? undefined
  }

  async answer(id: string, answer: object): Promise<void> {
    await this.#client.query(
      `UPDATE ${this.table} SET request = NULL, answer = $2 WHERE request->>'id' = $1`,
      [id, JSON.stringify({ ...answer, id })],
    )
  }

  /** The answer to a request, which is taken off the record with it. */
  async answerTo<Answer>(id: string): Promise<Answer | undefined> {
    const { rows } = await this.#client.query<{ answer: Answer }>(
      `SELECT answer FROM ${this.table} WHERE answer->>'id' = $1`,
      [id],
    )
    if (rows.length > 0)
      await this.#client.query(`UPDATE ${this.table} SET answer = NULL WHERE answer->>'id' = $1`, [id])
    return rows[0]?.answer
  }

  /** Whether an answer was fetched by whoever asked. */
  async isFetched(id: string): Promise<boolean> {
    const { rows } = await this.#client.query(`SELECT 1 FROM ${this.table} WHERE answer->>'id' = $1`, [id])
    return rows.length === 0
  }
}

/** The run of a graduation in the target, undefined where it has none of that name. */
export async function graduationRun(client: PostgresClient, name: string): Promise<Staging | undefined> {
  const runs = await findRuns(client)
  return runs.find(({ staging }) => staging.run === name)?.staging
}

/** What was compared, as the record keeps it. */
export function verificationOf(
  tables: TableReport[],
  position: number,
  ms: number,
  orphans = 0,
): LastVerification {
  return {
    at: new Date().toISOString(),
    position,
    rows: tables.reduce((sum, { targetRows }) => sum + targetRows, 0),
    isEqual: tables.every(({ digestMatch }) => digestMatch),
    orphans,
    ms: Math.round(ms),
  }
}
