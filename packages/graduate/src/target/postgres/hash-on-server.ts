import type { PostgresClient } from '@outgrow/databases'
import { addDigests, emptyDigest, type Digest } from '../../model/digest.ts'
import { receiveRows } from './copy-streams.ts'
import { copyOut, readHashed, readHashedTables, type HashedTable } from './hashed-table.ts'
import type { KeyBuckets } from '../target.ts'
import type { Hashing } from './hashing.ts'
import { fieldOf, nullField, rowHash, type HashedColumn } from './row-hash.ts'

/** Blocks that are hashed by one statement: few enough to tell how far it is. */
const blocksPerStatement = 16_384

/** The server hashes each row where it lies: a few bytes come back. */
export const hashOnServer: Hashing = {
  async digest(client, table, { from, cleared, onRows } = {}) {
    const hashed = await readHashed(client, table)
    const source = from ?? hashed.source
    const blocks = from === undefined ? hashed.blocks : 0
    let digest = emptyDigest
    for (let first = 0; first === 0 || first < blocks; first += blocksPerStatement) {
      const next = first + blocksPerStatement
      const range = [
        ...(first > 0 ? [`t.ctid >= '(${first},0)'`] : []),
        ...(next < blocks ? [`t.ctid < '(${next},0)'`] : []),
      ]
      const where = range.length > 0 ? `WHERE ${range.join(' AND ')}` : ''
      const [part] = await summed(client, `SELECT ${sums(hashed, cleared)} FROM ${source} ${where}`)
      digest = addDigests(digest, part?.digest ?? emptyDigest)
      onRows?.(digest.rows)
    }
    return digest
  },

  async digests(client, tables) {
    const selects = (await readHashedTables(client, tables)).map(
      (hashed, at) => `SELECT ${at} AS at, ${sums(hashed)} FROM ${hashed.source}`,
    )
    return placed(tables.length, await summed(client, selects.join(' UNION ALL ')))
  },

  async digestsByKey(client, table, buckets) {
    const hashed = await readHashed(client, table)
    const sql = `SELECT ${bucketOf(hashed, buckets)} AS at, ${sums(hashed)} FROM ${hashed.source} GROUP BY 1`
    return placed(buckets.buckets, await summed(client, sql))
  },

  async eachRow(client, table, buckets, onRow) {
    const hashed = await readHashed(client, table)
    const where = `WHERE ${bucketOf(hashed, buckets)} = ANY('{${buckets.of.join()}}'::int[])`
    await receiveRows(client, copyOut(hashed, { where }), onRow)
  },
}

/** SQL of how many rows there are, and of the sum of their hashes. */
function sums({ columns }: HashedTable, cleared: ReadonlySet<string> = new Set()): string {
  const fields = columns.map((column) => (cleared.has(column.name) ? nullField : fieldOf(column)))
  return `count(*) AS rows, sum(${rowHash(fields)}) AS sum`
}

function bucketOf({ columns }: HashedTable, { key, buckets }: KeyBuckets): string {
  const fields = key.map((at) => fieldOf(columns[at] as HashedColumn))
  return `(${rowHash(fields)} & ${buckets - 1})::int`
}

interface Summed {
  /** Which table or bucket it is of. */
  at: number
  digest: Digest
}

async function summed(client: PostgresClient, sql: string): Promise<Summed[]> {
  const { rows } = await client.query<{ at: number; rows: string; sum: string | null }>(sql)
  return rows.map(({ at, rows: count, sum }) => ({
    at,
    digest: addDigests(emptyDigest, { rows: Number(count), sum: BigInt(sum ?? 0) }),
  }))
}

/** Each digest in its place; a place without rows has the empty one. */
function placed(places: number, all: Summed[]): Digest[] {
  const digests = Array.from({ length: places }, () => emptyDigest)
  for (const { at, digest } of all) digests[at] = digest
  return digests
}
