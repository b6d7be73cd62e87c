import type { PostgresClient } from '@outgrow/databases'
import { addDigests, emptyDigest, type Digest } from '../../model/digest.ts'
import { KeyDigests } from '../../model/key-digests.ts'
import type { PlannedTable } from '../../model/plan.ts'
import type { Buckets } from '../target.ts'
import { receiveRows } from './copy-streams.ts'
import { readHashed, type HashedTable } from './digest-table.ts'
import { fieldOf, rowHash, valueOf, type HashedColumn } from './row-hash.ts'

/** Only one digest a bucket comes back. */
export async function keysOnServer(
  client: PostgresClient,
  table: PlannedTable,
  key: readonly number[],
  buckets: number,
): Promise<Digest[]> {
  const hashed = await readHashed(client, table)
  const { rows } = await client.query<{ bucket: number; rows: string; sum: string }>(
    `SELECT ${bucketOf(hashed, key, buckets)} AS bucket, count(*) AS rows, sum(${rowHash(hashed.columns.map(fieldOf))}) AS sum
       FROM ${hashed.source} GROUP BY 1`,
  )
  const digests = Array.from({ length: buckets }, () => emptyDigest)
  for (const { bucket, rows: count, sum } of rows)
    digests[bucket] = addDigests(emptyDigest, { rows: Number(count), sum: BigInt(sum) })
  return digests
}

/** Only the rows that are asked for come back. */
export async function eachRowOnServer(
  client: PostgresClient,
  table: PlannedTable,
  { key, buckets, of }: Buckets,
  onRow: (row: Buffer) => void,
): Promise<void> {
  const hashed = await readHashed(client, table)
  const where = `WHERE ${bucketOf(hashed, key, buckets)} = ANY('{${of.join()}}'::int[])`
  await receiveRows(client, copyOut(hashed, where), onRow)
}

/** All rows come back, and are hashed here. */
export async function keysReadBack(
  client: PostgresClient,
  table: PlannedTable,
  key: readonly number[],
  buckets: number,
): Promise<Digest[]> {
  const hashed = await readHashed(client, table)
  const byKey = new KeyDigests(key, listsOf(hashed.columns), buckets)
  await receiveRows(client, copyOut(hashed), (row) => byKey.add(row))
  return byKey.digests
}

export async function eachRowReadBack(
  client: PostgresClient,
  table: PlannedTable,
  { key, buckets, of }: Buckets,
  onRow: (row: Buffer) => void,
): Promise<void> {
  const hashed = await readHashed(client, table)
  const byKey = new KeyDigests(key, listsOf(hashed.columns), buckets)
  const isAsked = new Set(of)
  await receiveRows(client, copyOut(hashed), (row) => {
    if (isAsked.has(byKey.bucketOf(row))) onRow(row)
  })
}

function bucketOf({ columns }: HashedTable, key: readonly number[], buckets: number): string {
  const fields = key.map((at) => fieldOf(columns[at] as HashedColumn))
  return `(${rowHash(fields)} & ${buckets - 1})::int`
}

function copyOut({ columns, source }: HashedTable, where = ''): string {
  return `COPY (SELECT ${columns.map(valueOf).join(', ')} FROM ${source} ${where}) TO STDOUT (FORMAT binary)`
}

function listsOf(columns: HashedColumn[]): boolean[] {
  return columns.map(({ isList }) => isList)
}
