import type { PostgresClient } from '@outgrow/databases'
import type { RowSet } from '../rows.ts'
import { readColumns } from './columns.ts'
import type { Relation } from './relations.ts'
import { unitsOf } from './units.ts'

export interface StoredRowSet extends RowSet {
  sizeBytes: number
}

/** All rows that are the user's, table by table. */
export async function readRowSets(
  client: PostgresClient,
  relations: readonly Relation[],
): Promise<StoredRowSet[]> {
  const units = unitsOf(relations)
  const columns = await readColumns(
    client,
    units.map(({ oid }) => oid),
  )
  return units.map(({ oid, label, kind, condition, sizeBytes }) => ({
    label,
    columns: columns.get(oid) ?? [],
    condition: condition ?? '',
    isPartitioned: kind === 'partitioned',
    sizeBytes,
  }))
}
