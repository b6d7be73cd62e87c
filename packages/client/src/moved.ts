import { movedTable, type Provider } from '@outgrow/databases'
import { readAdapterError } from './adapter-error.ts'

/** What a transaction ends with that has found the authority gone, before anything of it ran. */
export class AuthorityMoved extends Error {
  constructor() {
    super('the database that this transaction began on has no authority any more')
    this.name = 'AuthorityMoved'
  }
}

/**
 * Whether an operation may have failed only because its tables were taken away: on SQLite the old names say so, on Postgres
 * the tables are just not there.
 */
export function meetsMoved(error: unknown, provider: Provider): boolean {
  if (error instanceof AuthorityMoved) return true
  const { code, kind, originalCode, message, table } = readAdapterError(error)
  if (code !== 'P2021' && code !== 'P2010') return false
  if (provider === 'sqlite') return table?.endsWith(movedTable) === true || message.includes(movedTable)
  return code === 'P2021' || originalCode === '42P01' || kind === 'TableDoesNotExist'
}
