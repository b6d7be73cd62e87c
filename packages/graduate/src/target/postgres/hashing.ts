import type { PostgresClient } from '@outgrow/databases'
import type { Digest } from '../../model/digest.ts'
import type { PlannedTable } from '../../model/plan.ts'
import type { Buckets, KeyBuckets } from '../target.ts'

/** Who hashes the rows of a target: its server, or this process, to which they come back then. Both come to the same. */
export interface Hashing {
  digest(client: PostgresClient, table: PlannedTable, request?: DigestRequest): Promise<Digest>
  /** Of several tables that are small. */
  digests(client: PostgresClient, tables: readonly PlannedTable[]): Promise<Digest[]>
  /** By buckets of the rows' keys. */
  digestsByKey(client: PostgresClient, table: PlannedTable, buckets: KeyBuckets): Promise<Digest[]>
  /** The rows of some of the buckets. */
  eachRow(
    client: PostgresClient,
    table: PlannedTable,
    buckets: Buckets,
    onRow: (row: Buffer) => void,
  ): Promise<void>
}

export interface DigestRequest {
  /** Of other rows than all: what stands behind FROM, where the table is called `t`. */
  from?: string
  /** Columns that are taken for NULL. */
  cleared?: ReadonlySet<string>
  /** Is told from time to time how many rows were read so far. */
  onRows?: (rows: number) => void
}
