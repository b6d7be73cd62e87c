import { readAdapterError } from './adapter-error.ts'
import type { Database } from './database.ts'
import type { ModelName, PrismaClientShape } from './prisma-client.ts'
import { knownModel } from './prisma-internals.ts'

/** Whether an error is a broken unique key; with `model` and `fields`, whether it is that key. */
export function isUniqueViolation(error: unknown): boolean
export function isUniqueViolation<Client extends PrismaClientShape>(
  error: unknown,
  database: Database<Client>,
  model: ModelName<Client>,
  fields: string[],
): boolean
export function isUniqueViolation(
  error: unknown,
  database?: Database,
  model?: string,
  fields?: string[],
): boolean {
  const { code, columns, index } = readAdapterError(error)
  if (code !== 'P2002') return false
  if (!database || model === undefined || !fields) return true
  const { table, columnOf } = knownModel(database.client, model)
  const wanted = fields.map(columnOf)
  if (columns) {
    const isSame = (names: string[]) =>
      names.length === columns.length && names.every((name) => columns.includes(name))
    return isSame(wanted) || isSame(fields)
  }
  if (index === undefined) return false
  // Prisma names unique indexes table_columns_key and primary keys table_pkey.
  return index === `${table}_${wanted.join('_')}_key`.slice(0, 63) || index === `${table}_pkey`
}

/** Whether an operation did nothing because it is written for the database that the application has just left. */
export function isOtherDialect(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'OUTGROW_OTHER_DIALECT'
}

/**
 * Whether it is worth trying again: a write conflict, a deadlock, a lock or a pooler's connection that was not free in time, or
 * a statement for the database that the application has just left.
 */
export function isRetryable(error: unknown): boolean {
  if (isOtherDialect(error)) return true
  const { code, kind, originalCode, message } = readAdapterError(error)
  // pgbouncer's: the statement never reached the server.
  if (originalCode === '08P01' && message.includes('query_wait_timeout')) return true
  switch (code) {
    case 'P2034':
      return true
    case 'P2028': // It never began: the lock, or a connection, was not free in time.
      return message.includes('Unable to start a transaction')
    case 'P2010':
      return kind === 'TransactionWriteConflict' || /^(40001|40P01|SQLITE_BUSY.*)$/.test(originalCode ?? '')
    case 'P1008':
      return /SQLITE_BUSY/.test(originalCode ?? '')
    default:
      return false
  }
}

/** Whether the database cannot be reached now: nothing is wrong with what was asked. */
export function isUnavailable(error: unknown): boolean {
  const { code, kind, originalCode, message } = readAdapterError(error)
  return (
    // The driver says some of it in words alone.
    /Connection (terminated|ended)|not queryable|timeout exceeded when trying to connect|max clients? (connections )?reached/i.test(
      message,
    ) ||
    /^(P1001|P1002|P1017|ECONN\w+|EPIPE)$/.test(code ?? '') ||
    /^(DatabaseNotReachable|ConnectionClosed|SocketTimeout|TooManyConnections)$/.test(kind ?? '') ||
    /^(57P0[123]|08\w{3}|53300|ECONN\w+|EPIPE)$/.test(originalCode ?? '')
  )
}
