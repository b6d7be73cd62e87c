import type { PostgresClient } from '@outgrow/databases'
import { addDigests, emptyDigest, type Digest } from '../../model/digest.ts'
import type { PlannedTable } from '../../model/plan.ts'
import { RowHasher } from '../../model/row-hasher.ts'
import { qualified } from './constraints.ts'
import { receiveRows } from './copy-streams.ts'
import { fieldOf, nullField, rowHash, valueOf, type HashedColumn } from './row-hash.ts'

export interface DigestRequest {
  table: PlannedTable
  /** Of other rows than all: what stands behind FROM, where the table is called `t`. */
  from?: string
  /** Columns that are taken for NULL. */
  cleared?: ReadonlySet<string>
  /** Is told from time to time how many rows were read so far. */
  onRows?: (rows: number) => void
}

/** A table as it is hashed. */
export interface HashedTable {
  columns: HashedColumn[]
  /** What stands behind FROM, where the table is called `t`. */
  source: string
  /** Its size, where all of it is read. */
  blocks: number
}

/** Blocks that are hashed by one statement: few enough to tell how far it is. */
const blocksPerStatement = 16_384

/** The server hashes each row where it lies: a few bytes come back. */
export async function digestOnServer(client: PostgresClient, request: DigestRequest): Promise<Digest> {
  const { columns, source, blocks } = await readHashed(client, request.table, request.from)
  const hash = rowHash(columns.map((column) => (isCleared(request, column) ? nullField : fieldOf(column))))
  const select = `SELECT count(*) AS rows, sum(${hash}) AS sum FROM ${source}`
  let digest = emptyDigest
  for (let from = 0; from === 0 || from < blocks; from += blocksPerStatement) {
    const to = from + blocksPerStatement
    const range = [
      ...(from > 0 ? [`t.ctid >= '(${from},0)'`] : []),
      ...(to < blocks ? [`t.ctid < '(${to},0)'`] : []),
    ]
    const { rows } = await client.query<{ rows: string; sum: string | null }>(
      range.length > 0 ? `${select} WHERE ${range.join(' AND ')}` : select,
    )
    const [read] = rows
    digest = addDigests(digest, { rows: Number(read?.rows), sum: BigInt(read?.sum ?? 0) })
    request.onRows?.(digest.rows)
  }
  return digest
}

/** Small tables are hashed by one statement. */
export async function digestsOnServer(
  client: PostgresClient,
  tables: readonly PlannedTable[],
): Promise<Digest[]> {
  const hashed = await readHashedTables(client, tables)
  const selects = hashed.map(
    ({ columns, source }, at) =>
      `SELECT ${at} AS at, count(*) AS rows, sum(${rowHash(columns.map(fieldOf))}) AS sum FROM ${source}`,
  )
  const { rows } = await client.query<{ at: number; rows: string; sum: string | null }>(
    selects.join(' UNION ALL '),
  )
  const digests = tables.map(() => emptyDigest)
  for (const { at, rows: count, sum } of rows)
    digests[at] = addDigests(emptyDigest, { rows: Number(count), sum: BigInt(sum ?? 0) })
  return digests
}

/** Every row comes back in its binary form, and is hashed here. */
export async function digestReadBack(client: PostgresClient, request: DigestRequest): Promise<Digest> {
  const { columns, source } = await readHashed(client, request.table, request.from)
  const types = new Map(request.table.columns.map(({ target }) => [target.name, target.sqlType]))
  const fields = columns.map((column) =>
    isCleared(request, column) ? `NULL::${types.get(column.name)}` : valueOf(column),
  )
  const hasher = new RowHasher(columns.map(({ isList }) => isList))
  await receiveRows(
    client,
    `COPY (SELECT ${fields.join(', ')} FROM ${source}) TO STDOUT (FORMAT binary)`,
    (row) => hasher.add(row, 0, row.length),
    request.onRows && (() => request.onRows?.(hasher.digest.rows)),
  )
  return hasher.digest
}

function isCleared({ cleared }: DigestRequest, { name }: HashedColumn): boolean {
  return cleared?.has(name) ?? false
}

/** A table's planned columns as they are by now: casts change their types. */
export async function readHashed(
  client: PostgresClient,
  table: PlannedTable,
  from?: string,
): Promise<HashedTable> {
  const [hashed] = await readHashedTables(client, [table])
  const { source, blocks, columns } = hashed as HashedTable
  return { columns, source: from ?? source, blocks: from === undefined ? blocks : 0 }
}

async function readHashedTables(
  client: PostgresClient,
  tables: readonly PlannedTable[],
): Promise<HashedTable[]> {
  const { rows } = await client.query<HashedColumn & { at: string; partitioned: boolean; blocks: string }>(
    `SELECT o.at, a.attname AS name, coalesce(b.typname, t.typname) AS type, t.typsend::regproc::text AS send,
            t.typcategory = 'A' AS "isList", c.relkind = 'p' AS partitioned,
            pg_relation_size(c.oid) / current_setting('block_size')::int AS blocks
       FROM unnest($1::regclass[]) WITH ORDINALITY o(id, at)
       JOIN pg_class c ON c.oid = o.id
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       JOIN pg_type t ON t.oid = a.atttypid
       LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype`,
    [tables.map(({ target }) => qualified(target))],
  )
  const known = Map.groupBy(rows, ({ at }) => Number(at) - 1)
  return tables.map((table, at) => {
    const own = new Map(known.get(at)?.map((column) => [column.name, column]))
    const [first] = own.values()
    return {
      columns: table.columns.map(({ target, presenceOnly = false }) => {
        const column = own.get(target.name)
        if (column === undefined) throw new Error(`${qualified(table.target)} has no column ${target.name}`)
        return { ...column, presenceOnly }
      }),
      // COPY leaves out what inherits from a table, unless that is partitioned.
      source: `${first?.partitioned === true ? '' : 'ONLY '}${qualified(table.target)} t`,
      blocks: Number(first?.blocks ?? 0),
    }
  })
}
