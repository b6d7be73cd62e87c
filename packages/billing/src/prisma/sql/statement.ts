import type { PrismaDatabase } from '../client.ts'
import type { Stored } from '../models.ts'
import type { Scope } from '../scope.ts'
import { storedTime } from '../../stored-time.ts'

export type Provider = PrismaDatabase['provider']

export type Scalar = string | number | boolean | Date | null

/** Postgres takes a list as an array. */
export type Value = Scalar | readonly Scalar[]

/** The values of one statement, by their places in its text. Types are left to the columns that they meet. */
export class Values {
  readonly list: unknown[] = []
  readonly provider: Provider

  constructor(provider: Provider) {
    this.provider = provider
  }

  /** Adds a value, and returns its place. */
  place(value: Value): string {
    this.list.push(this.provider === 'postgres' ? value : sqliteValue(value))
    return this.provider === 'postgres' ? `$${this.list.length}` : '?'
  }
}

/** SQLite has no booleans, and the client keeps times as text. */
function sqliteValue(value: Value): unknown {
  if (value instanceof Date) return storedTime('sqlite', value)
  return typeof value === 'boolean' ? Number(value) : value
}

/** Asks what `write` writes: text and values are of one client, and are written again when the application moves meanwhile. */
export async function rowsOf<Row>(
  scope: Pick<Scope, 'perProvider' | 'stored'>,
  write: (values: Values, stored: Stored) => string,
): Promise<Row[]> {
  const rows = await scope.perProvider(({ provider, client }) => {
    const values = new Values(provider)
    const sql = write(values, scope.stored)
    return client.$queryRawUnsafe(sql, ...values.list)
  })
  return rows as Row[]
}
