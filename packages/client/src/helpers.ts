import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '@outgrow/kit'
import type { Database } from './database.ts'
import { isOtherDialect, isRetryable, isUniqueViolation } from './errors.ts'
import type { Arguments, ModelName, PrismaClientShape, TransactionClient } from './prisma-client.ts'
import { knownModel } from './prisma-internals.ts'
import { filterFor } from './provider-arguments.ts'

/**
 * Locks one row until the transaction ends: `SELECT … FOR UPDATE` on Postgres. On SQLite the transaction has the write
 * lock from its start, so nothing more is needed. A row that does not exist locks nothing.
 * @param id field to value, such as `{ id }` or the fields of a composite key
 */
export async function lockForUpdate<Client extends PrismaClientShape>(
  database: Database<Client>,
  tx: TransactionClient<Client>,
  model: ModelName<Client>,
  id: Record<string, string | number | bigint>,
): Promise<void> {
  if (database.provider === 'sqlite') return
  const { schema, table, columnOf } = knownModel(database.client, model)
  const names = Object.keys(id)
  const where = names.map((name, at) => `${quote(columnOf(name))} = $${at + 1}`).join(' AND ')
  const { $queryRawUnsafe: query } = tx as unknown as {
    $queryRawUnsafe(sql: string, ...values: unknown[]): Promise<unknown>
  }
  await query.call(
    tx,
    `SELECT 1 FROM ${schema === undefined ? '' : `${quote(schema)}.`}${quote(table)} WHERE ${where} FOR UPDATE`,
    ...names.map((name) => id[name]),
  )
}

/**
 * Inserts rows, leaving out those that break a unique key. Returns how many were inserted.
 * Postgres does it in one statement; SQLite row by row, in the order given.
 */
export async function insertIgnore<Client extends PrismaClientShape, Model extends ModelName<Client>>(
  database: Pick<Database, 'provider'>,
  client: Client | TransactionClient<Client>,
  model: Model,
  rows: Arguments<Client[Model], 'createMany'> extends { data: infer Rows } ? Rows : never,
): Promise<number> {
  const all = (Array.isArray(rows) ? rows : [rows]) as object[]
  const delegate = (client as Record<string, unknown>)[model] as {
    createMany(args: { data: object[]; skipDuplicates?: boolean }): Promise<{ count: number }>
  }
  if (database.provider === 'postgres') {
    try {
      return (await delegate.createMany({ data: all, skipDuplicates: true })).count
    } catch (error) {
      if (!isOtherDialect(error)) throw error // else the application has gone back to SQLite meanwhile
    }
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
export function containsText({ provider }: Pick<Database, 'provider'>, text: string): { contains: string } {
  // Prisma does not escape LIKE's wildcards on either database.
  const contains = text.replaceAll(/[\\%_]/g, String.raw`\$&`)
  const insensitive = { contains, mode: 'insensitive' }
  return filterFor(provider, (provider) => (provider === 'postgres' ? insensitive : { contains }))
}

/** An order that says where NULL goes: Postgres puts it last, SQLite first, unless told. */
export function orderWithNulls<Sort extends 'asc' | 'desc', Nulls extends 'first' | 'last'>(
  sort: Sort,
  nulls: Nulls,
): { sort: Sort; nulls: Nulls } {
  return { sort, nulls }
}

/** Cuts a list for `in` filters and bulk writes: both databases limit the values of one statement. */
export function chunked<Item>(items: readonly Item[], size = 1000): Item[][] {
  if (!Number.isInteger(size) || size < 1) {
    throw new Failure({ code: 'OUTGROW_OPTION_INVALID', message: `${size} is not a valid chunk size.` })
  }
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  )
}

/** A filter on a value inside a Json field; the two databases write the path differently. */
export function jsonAt(
  { provider }: Pick<Database, 'provider'>,
  path: string[],
  filter: { equals?: unknown; string_contains?: string },
): object {
  const text = `$${path.map((key) => `.${JSON.stringify(key)}`).join('')}`
  return filterFor(provider, (provider) => ({ path: provider === 'postgres' ? path : text, ...filter }))
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
