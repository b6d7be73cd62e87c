import {
  copyManyIn,
  describeSchemas,
  quoteIdentifier,
  type DescribedItem,
  type PostgresClient,
} from '@outgrow/databases'
import type { Digest } from '../../model/digest.ts'
import type { PlannedTable } from '../../model/plan.ts'
import type { Constraint, TargetTable } from '../../model/table.ts'
import { copyHeader, copyTrailer } from '../../types/binary-writer.ts'
import type { Buckets, Target, Violation } from '../target.ts'
import { readTargetTables } from './catalog.ts'
import { eachRowOnServer, eachRowReadBack, keysOnServer, keysReadBack } from './by-key.ts'
import { addConstraints, foreignLast, qualified, type Standing } from './constraints.ts'
import { sendRows } from './copy-streams.ts'
import { digestOnServer, digestReadBack, digestsOnServer, type DigestRequest } from './digest-table.ts'

const violated = new Set(['23505', '23503', '23514', '54000'])

/** One connection to a Postgres, as the steps use it. */
export class PostgresTarget implements Target {
  readonly client: PostgresClient
  /** Whether the server hashes rows itself; otherwise they are read back. */
  readonly hashesRows: boolean

  constructor(client: PostgresClient, hashesRows: boolean) {
    this.client = client
    this.hashesRows = hashesRows
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
    return sendRows(this.client, `BEGIN; ${copyInto(table)}`, buffers, giveBack)
  }

  async loadTogether(tables: { table: PlannedTable; rows: Buffer }[], last: string[]): Promise<void> {
    const statements = ['BEGIN', ...tables.map(({ table }) => copyInto(table)), ...last, 'COMMIT']
    const parts = tables.map(({ rows }) => [copyHeader, rows, copyTrailer])
    await copyManyIn(this.client, statements.join(';\n'), parts)
  }

  async digests(tables: readonly PlannedTable[]): Promise<Digest[]> {
    if (this.hashesRows) return digestsOnServer(this.client, tables)
    const digests: Digest[] = []
    for (const table of tables) digests.push(await this.digest(table))
    return digests
  }

  digest(table: PlannedTable, request: Omit<DigestRequest, 'table'> = {}): Promise<Digest> {
    const digest = this.hashesRows ? digestOnServer : digestReadBack
    return digest(this.client, { ...request, table })
  }

  digestsByKey(table: PlannedTable, key: readonly number[], buckets: number): Promise<Digest[]> {
    const digests = this.hashesRows ? keysOnServer : keysReadBack
    return digests(this.client, table, key, buckets)
  }

  eachRow(table: PlannedTable, buckets: Buckets, onRow: (row: Buffer) => void): Promise<void> {
    const each = this.hashesRows ? eachRowOnServer : eachRowReadBack
    return each(this.client, table, buckets, onRow)
  }

  async constrain(constraints: Constraint[], standing?: Standing): Promise<Violation[]> {
    try {
      await addConstraints(this.client, constraints, standing)
      return []
    } catch (error) {
      const { code = '', message = '' } = error as { code?: string; message?: string }
      if (!violated.has(code)) throw error
      const [constraint] = constraints as [Constraint]
      if (constraints.length === 1) return [{ constraint, state: code, message }]
      const violations: Violation[] = []
      for (const one of foreignLast(constraints)) violations.push(...(await this.constrain([one], standing)))
      return violations
    }
  }

  transaction<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#within('BEGIN', work)
  }

  reading<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#within('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work)
  }

  async #within<Result>(begin: string, work: () => Promise<Result>): Promise<Result> {
    await this.client.query(begin)
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

function copyInto({ target, columns }: PlannedTable): string {
  const names = columns.map((column) => quoteIdentifier(column.target.name))
  return `COPY ${qualified(target)} (${names.join(', ')}) FROM STDIN (FORMAT binary)`
}
