import { copyOut, quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { fieldOf, hashesRows, RowCutter, RowHasher, rowHash, type Digest } from '@outgrow/graduate'
import type { Column } from './catalog/columns.ts'

/** A table's rows as SQL asks for them. */
export interface RowSet {
  /** How messages, manifests and SQL name it. */
  label: string
  /** What they are read from, where that is no table of this name. */
  from?: string
  columns: Column[]
  /** A WHERE clause; empty for all rows. */
  condition: string
  /** All of its partitions together. */
  isPartitioned: boolean
}

/** Rows in binary COPY form. Their digest is known once they were read. */
export function readRows(
  client: PostgresClient,
  rows: RowSet,
): { pieces: AsyncIterable<Buffer>; digest: () => Digest } {
  const hasher = new RowHasher(rows.columns.map(({ isList }) => isList))
  const cutter = new RowCutter((row) => hasher.add(row, 0, row.length))
  const values = rows.columns.map(({ name, asText }) => `t.${quoteIdentifier(name)}${asText ? '::text' : ''}`)
  async function* pieces() {
    for await (const piece of copyOut(
      client,
      `COPY (SELECT ${values.join(', ')} FROM ${fromOf(rows)}) TO STDOUT (FORMAT binary)`,
    ) as AsyncIterable<Buffer>) {
      cutter.add(piece)
      yield piece
    }
  }
  return { pieces: pieces(), digest: () => hasher.digest }
}

/** Digests of what a server holds. */
export interface Digester {
  /** Whether the server computes them itself, where the rows lie. */
  readonly isOnServer: boolean
  digest: (rows: RowSet) => Promise<Digest>
}

export async function digesterOf(client: PostgresClient): Promise<Digester> {
  if (await hashesRows(client)) return { isOnServer: true, digest: (rows) => hashOnServer(client, rows) }
  return {
    isOnServer: false,
    async digest(rows) {
      const { pieces, digest } = readRows(client, rows)
      for await (const _ of pieces); // read to its end, for its digest
      return digest()
    },
  }
}

async function hashOnServer(client: PostgresClient, rows: RowSet): Promise<Digest> {
  const { rows: found } = await client.query<{ rows: string; sum: string | null }>(
    `SELECT count(*) AS rows, sum(${rowHash(rows.columns.map(fieldOf))}) AS sum FROM ${fromOf(rows)}`,
  )
  const [{ rows: count, sum } = { rows: '0', sum: null }] = found
  return { rows: Number(count), sum: BigInt.asUintN(64, BigInt(sum ?? 0)) }
}

function fromOf({ label, from = label, isPartitioned, condition }: RowSet): string {
  return `${isPartitioned ? '' : 'ONLY '}${from} t ${condition}`
}

/** A digest as manifests keep it. */
export function digestText({ sum }: Digest): string {
  return sum.toString(16).padStart(16, '0')
}
