import { insertIgnore, type PrismaClientShape } from '@outgrow/client'
import type { PrismaDatabase, PrismaLike } from './client.ts'
import type { AccountKeys, Delegates, Role, Stored } from './models.ts'

/**
 * What each part of the store works with: the root client, or a transaction's. The root's may be another client by the
 * next call, when a database was exchanged: nothing of it is kept.
 */
export interface Scope {
  readonly client: PrismaLike
  /** Runs one operation that is written for one provider. */
  readonly perProvider: NonNullable<PrismaDatabase['perProvider']>
  readonly provider: PrismaDatabase['provider']
  readonly models: Delegates
  readonly names: Record<Role, string>
  readonly stored: Stored
  readonly keys: AccountKeys
  /** The account's own model, where the client has it. */
  readonly account: AccountModel | undefined
  /** Says that there may be something to do, when what was written is committed. */
  readonly wake: () => void
  /** Runs a write again while the database asks for it; in a transaction, once. */
  readonly write: <Result>(work: () => Promise<Result>) => Promise<Result>
}

export interface AccountModel {
  id: string
  /** Undefined where it has no such field. */
  name: string | undefined
  findUnique(args: { where: object; select: object }): Promise<Record<string, unknown> | null>
}

/** Inserts rows of a model, leaving out those that break a unique key. Returns how many were new. */
export function insertNew(
  { client, provider, names }: Scope,
  role: Role,
  rows: readonly object[],
): Promise<number> {
  // Which model it is, is known at run time only.
  return insertIgnore({ provider }, client as unknown as AnyClient, names[role] as 'any', rows as never)
}

interface AnyClient extends PrismaClientShape {
  any: { findMany(): unknown }
}
