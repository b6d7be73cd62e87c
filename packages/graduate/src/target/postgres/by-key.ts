import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { KeySums } from '../../model/key-sums.ts'
import type { PlannedTable } from '../../model/plan.ts'
import type { Buckets } from '../target.ts'
import { receiveRows } from './copy-streams.ts'
import { readHashed, type HashedTable } from './digest-table.ts'
import { fieldOf, rowHash, type HashedColumn } from './row-hash.ts'

/** Only one sum a bucket comes back. */
export async function sumsOnServer(
  client: PostgresClient,
  table: PlannedTable,
  key: readonly number[],
  buckets: number,
): Promise<bigint[]> {
  const hashed = await readHashed(client, table)
  const { rows } = await client.query<{ bucket: number; sum: string }>(
    `SELECT ${bucketOf(hashed, key, buckets)} AS bucket, sum(${rowHash(hashed.columns.map(fieldOf))}) AS sum
       FROM ${hashed.source} GROUP BY 1`,
  )
  const sums = Array.from({ length: buckets }, () => 0n)
  for (const { bucket, sum } of rows) sums[bucket] = BigInt.asUintN(64, BigInt(sum))
  return sums
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
export async function sumsReadBack(
  client: PostgresClient,
  table: PlannedTable,
  key: readonly number[],
  buckets: number,
): Promise<bigint[]> {
  const hashed = await readHashed(client, table)
  const sums = new KeySums(key, listsOf(hashed.columns), buckets)
  await receiveRows(client, copyOut(hashed), (row) => sums.add(row))
  return sums.sums
}

export async function eachRowReadBack(
  client: PostgresClient,
  table: PlannedTable,
  { key, buckets, of }: Buckets,
  onRow: (row: Buffer) => void,
): Promise<void> {
  const hashed = await readHashed(client, table)
  const sums = new KeySums(key, listsOf(hashed.columns), buckets)
  const isAsked = new Set(of)
  await receiveRows(client, copyOut(hashed), (row) => {
    if (isAsked.has(sums.bucketOf(row))) onRow(row)
  })
}

function bucketOf({ columns }: HashedTable, key: readonly number[], buckets: number): string {
  const fields = key.map((at) => fieldOf(columns[at] as HashedColumn))
  return `(${rowHash(fields)} & ${buckets - 1})::int`
}

function copyOut({ columns, source }: HashedTable, where = ''): string {
  const names = columns.map(({ name }) => `t.${quoteIdentifier(name)}`)
  return `COPY (SELECT ${names.join(', ')} FROM ${source} ${where}) TO STDOUT (FORMAT binary)`
}

function listsOf(columns: HashedColumn[]): boolean[] {
  return columns.map(({ isList }) => isList)
}
