import { describeSchemas, quoteIdentifier, type DescribedItem, type PostgresClient } from '@outgrow/databases'
import { RowHasher, type Digest, type Hash } from '../../model/digest.ts'
import type { PlannedTable } from '../../model/plan.ts'
import type { Constraint, TargetTable } from '../../model/table.ts'
import type { Target, Violation } from '../target.ts'
import { readTargetTables } from './catalog.ts'
import { addConstraint, qualified } from './constraints.ts'
import { receiveRows, sendRows } from './copy-streams.ts'

const violated = new Set(['23505', '23503', '23514', '54000'])

/** One connection to a Postgres, as the steps use it. */
export class PostgresTarget implements Target {
  readonly client: PostgresClient
  readonly hash: Hash

  constructor(client: PostgresClient, hash: Hash) {
    this.client = client
    this.hash = hash
  }

  tables(schemas: string[]): Promise<TargetTable[]> {
    return readTargetTables(this.client, schemas)
  }

  structure(schemas: string[]): Promise<DescribedItem[]> {
    return describeSchemas(this.client, Object.fromEntries(schemas.map((schema) => [schema, schema])))
  }

  load(
    table: PlannedTable,
    buffers: AsyncIterable<Buffer>,
    giveBack: (buffer: Buffer) => void,
  ): Promise<number> {
    return sendRows(this.client, `COPY ${copied(table)} FROM STDIN (FORMAT binary)`, buffers, giveBack)
  }

  async digest(table: PlannedTable, onRows?: (rows: number) => void): Promise<Digest> {
    return this.digestOf(`COPY ${copied(table)} TO STDOUT (FORMAT binary)`, onRows)
  }

  /** The digest of the rows that a COPY gives. */
  async digestOf(copySql: string, onRows?: (rows: number) => void): Promise<Digest> {
    const hasher = new RowHasher(this.hash)
    await receiveRows(
      this.client,
      copySql,
      (row) => hasher.add(row),
      onRows && (() => onRows(hasher.digest.rows)),
    )
    return hasher.digest
  }

  eachRow(table: PlannedTable, onRow: (row: Buffer) => void): Promise<void> {
    return receiveRows(this.client, `COPY ${copied(table)} TO STDOUT (FORMAT binary)`, onRow)
  }

  async constrain(constraint: Constraint): Promise<Violation | undefined> {
    try {
      await addConstraint(this.client, constraint)
      return undefined
    } catch (error) {
      const { code = '', message = '' } = error as { code?: string; message?: string }
      if (!violated.has(code)) throw error
      return { constraint, state: code, message }
    }
  }

  async transaction<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.client.query('BEGIN')
    try {
      const result = await work()
      await this.client.query('COMMIT')
      return result
    } catch (error) {
      await this.client.query('ROLLBACK').catch(() => {}) // the connection may be gone, which the error says
      throw error
    }
  }
}

/** A table and its planned columns, as COPY names them. */
function copied({ target, columns }: PlannedTable): string {
  return `${qualified(target)} (${columns.map((column) => quoteIdentifier(column.target.name)).join(', ')})`
}
