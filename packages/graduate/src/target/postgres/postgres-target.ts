import {
  describeSchemas,
  quoteIdentifier,
  runBatch,
  type DescribedItem,
  type PostgresClient,
} from '@outgrow/databases'
import type { Digest } from '../../model/digest.ts'
import type { PlannedTable } from '../../model/plan.ts'
import type { Constraint, TargetTable } from '../../model/table.ts'
import { copyHeader, copyTrailer } from '../../types/binary-writer.ts'
import type { Buckets, KeyBuckets, Target, Violation } from '../target.ts'
import { readTargetTables } from './catalog.ts'
import { addConstraints, foreignLast, qualified, type Standing } from './constraints.ts'
import { sendRows } from './copy-streams.ts'
import type { DigestRequest, Hashing } from './hashing.ts'

const violated = new Set(['23505', '23503', '23514', '54000'])

/** One connection to a Postgres, as the steps use it. */
export class PostgresTarget implements Target {
  readonly client: PostgresClient
  readonly #hashing: Hashing
  #isReading = false

  constructor(client: PostgresClient, hashing: Hashing) {
    this.client = client
    this.#hashing = hashing
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
    const loads = tables.map(({ table, rows }) => ({
      sql: copyInto(table),
      data: [copyHeader, rows, copyTrailer],
    }))
    const plain = (sql: string) => ({ sql })
    await runBatch(this.client, [plain('BEGIN'), ...loads, ...last.map(plain), plain('COMMIT')])
  }

  digests(tables: readonly PlannedTable[]): Promise<Digest[]> {
    return this.#hashing.digests(this.client, tables)
  }

  digest(table: PlannedTable, request?: DigestRequest): Promise<Digest> {
    return this.#hashing.digest(this.client, table, request)
  }

  digestsByKey(table: PlannedTable, buckets: KeyBuckets): Promise<Digest[]> {
    return this.#hashing.digestsByKey(this.client, table, buckets)
  }

  eachRow(table: PlannedTable, buckets: Buckets, onRow: (row: Buffer) => void): Promise<void> {
    return this.#hashing.eachRow(this.client, table, buckets, onRow)
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

  async reading<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#isReading) return work()
    this.#isReading = true
    try {
      return await this.#within('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work)
    } finally {
      this.#isReading = false
    }
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

/** SQL that loads rows of a table in their binary form. */
export function copyInto({ target, columns }: PlannedTable): string {
  const names = columns.map((column) => quoteIdentifier(column.target.name))
  return `COPY ${qualified(target)} (${names.join(', ')}) FROM STDIN (FORMAT binary)`
}
