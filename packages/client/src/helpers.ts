import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '@outgrow/kit'
import type { Database, TransactionClient } from './database.ts'
import { Prisma } from './generated/sqlite/client.ts'
import { storedModel } from './stored-model.ts'

type Client = Database['client'] | TransactionClient

/** Names of the models as the client writes them: `billingCustomer`. */
export type ModelName = Uncapitalize<Prisma.ModelName>

/**
 * Locks one row until the transaction ends: `SELECT … FOR UPDATE` on Postgres. On SQLite the transaction has the write
 * lock from its start, so nothing more is needed. A row that does not exist locks nothing.
 * @param id field to value, such as `{ id }` or the fields of a composite key
 */
export async function lockForUpdate(
  database: Database,
  tx: TransactionClient,
  model: ModelName,
  id: Record<string, string | number | bigint>,
): Promise<void> {
  if (database.provider === 'sqlite') return
  const { table, columnOf } = storedModel(database.client, model)
  const names = Object.keys(id)
  const where = names.map((name, at) => `${quote(columnOf(name))} = $${at + 1}`).join(' AND ')
  await tx.$queryRawUnsafe(
    `SELECT 1 FROM ${quote(table)} WHERE ${where} FOR UPDATE`,
    ...names.map((name) => id[name]),
  )
}

/**
 * Inserts rows, leaving out those that break a unique key. Returns how many were inserted.
 * Postgres does it in one statement; SQLite row by row, in the order given.
 */
export async function insertIgnore<Model extends ModelName>(
  database: Database,
  client: Client,
  model: Model,
  rows: Prisma.Args<Database['client'][Model], 'createMany'>['data'],
): Promise<number> {
  const all = (Array.isArray(rows) ? rows : [rows]) as object[]
  const delegate = client[model] as unknown as {
    createMany(args: { data: object[]; skipDuplicates?: boolean }): Promise<{ count: number }>
  }
  if (database.provider === 'postgres') {
    return (await delegate.createMany({ data: all, skipDuplicates: true })).count
  }
  let inserted = 0
  for (const row of all) {
    try {
      inserted += (await delegate.createMany({ data: [row] })).count
    } catch (error) {
      if (!isUniqueViolation(error)) throw error
    }
  }
  return inserted
}

interface UniqueViolationCause {
  originalMessage?: string
  constraint?: { fields?: string[]; index?: string }
}

/** Whether an error is a broken unique key; with `model` and `fields`, whether it is that key. */
export function isUniqueViolation(
  error: unknown,
  database?: Database,
  model?: ModelName,
  fields?: string[],
): boolean {
  if (!(error instanceof Error) || (error as { code?: unknown }).code !== 'P2002') return false
  if (!database || !model || !fields) return true
  const meta = (error as { meta?: { driverAdapterError?: { cause?: UniqueViolationCause } } }).meta
  const constraint = meta?.driverAdapterError?.cause?.constraint
  const { table, columnOf } = storedModel(database.client, model)
  const columns = fields.map(columnOf)
  const named = constraint?.fields?.map((name) => name.replaceAll('"', ''))
  if (named) return named.length === columns.length && columns.every((column) => named.includes(column))
  const index = constraint?.index
  if (index === undefined) return false
  // Prisma names unique indexes table_columns_key and primary keys table_pkey.
  return index === `${table}_${columns.join('_')}_key`.slice(0, 63) || index === `${table}_pkey`
}

/** Whether the database asks to try again: a write conflict, a deadlock, or a lock that was not free in time. */
export function isRetryable(error: unknown): boolean {
  const { code, meta, message } = error as {
    code?: string
    meta?: { driverAdapterError?: { cause?: { kind?: string; originalCode?: string } } }
    message?: string
  }
  const cause = meta?.driverAdapterError?.cause
  if (code === 'P2034') return true
  // It never began: the lock, or a connection, was not free in time.
  if (code === 'P2028') return (message ?? '').includes('Unable to start a transaction')
  if (code === 'P2010') {
    return (
      cause?.kind === 'TransactionWriteConflict' ||
      /^(40001|40P01|SQLITE_BUSY.*)$/.test(cause?.originalCode ?? '')
    )
  }
  return (
    code === 'P1008' &&
    /SQLITE_BUSY/.test(`${cause?.originalCode ?? ''}${message ?? ''}${JSON.stringify(meta ?? {})}`)
  )
}

/** Whether the database cannot be reached now: nothing is wrong with what was asked. */
export function isUnavailable(error: unknown): boolean {
  const { code, meta, message } = error as {
    code?: string
    meta?: { driverAdapterError?: { cause?: { kind?: string; originalCode?: string } } }
    message?: string
  }
  const cause = meta?.driverAdapterError?.cause
  return (
    // The driver says some of it in words alone.
    /Connection (terminated|ended)|not queryable|timeout exceeded when trying to connect/i.test(
      message ?? '',
    ) ||
    /^(P1001|P1002|P1017|ECONN\w+|EPIPE)$/.test(code ?? '') ||
    /^(DatabaseNotReachable|ConnectionClosed|SocketTimeout|TooManyConnections)$/.test(cause?.kind ?? '') ||
    /^(57P0[123]|08\w{3}|53300|ECONN\w+|EPIPE)$/.test(cause?.originalCode ?? '')
  )
}

/** Runs `work` again, up to `attempts` times in all, while the database asks for it; pauses grow and are random. */
export async function withRetry<Result>(
  work: () => Promise<Result>,
  { attempts = 5, signal }: { attempts?: number; signal?: AbortSignal } = {},
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= attempts || !isRetryable(error)) throw error
      await sleep(Math.random() * 20 * 2 ** attempt, undefined, signal && { signal })
    }
  }
}

/** A filter for text that contains `text`, whatever its case, alike on both databases. */
export function containsText(database: Database, text: string): Prisma.StringFilter {
  // Prisma does not escape LIKE's wildcards on either database.
  const contains = text.replaceAll(/[\\%_]/g, String.raw`\$&`)
  return database.provider === 'postgres'
    ? ({ contains, mode: 'insensitive' } as Prisma.StringFilter)
    : { contains }
}

/** An order that says where NULL goes: Postgres puts it last, SQLite first, unless told. */
export function orderWithNulls(sort: 'asc' | 'desc', nulls: 'first' | 'last'): Prisma.SortOrderInput {
  return { sort, nulls }
}

/** Cuts a list for `in` filters and bulk writes: both databases limit the values of one statement. */
export function chunked<Item>(items: readonly Item[], size = 1000): Item[][] {
  if (!Number.isInteger(size) || size < 1) {
    throw new Failure({ code: 'OUTGROW_OPTION_INVALID', message: `A chunk of ${size} is not possible.` })
  }
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  )
}

/** A filter on a value inside a Json field; the two databases write the path differently. */
export function jsonAt(
  database: Database,
  path: string[],
  filter: { equals?: unknown; string_contains?: string },
): object {
  return {
    path:
      database.provider === 'postgres' ? path : `$${path.map((key) => `.${JSON.stringify(key)}`).join('')}`,
    ...filter,
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
