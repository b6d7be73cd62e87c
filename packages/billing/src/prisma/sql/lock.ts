import type { Scope } from '../scope.ts'
import { rowsOf } from './statement.ts'

/** Locks a customer's row until the transaction ends. On SQLite the transaction has the write lock from its start. */
export async function lockCustomer(tx: Scope, id: string): Promise<void> {
  if (tx.provider === 'sqlite') return
  await rowsOf(
    tx,
    (values, { customer: { table, column } }) =>
      `SELECT 1 FROM ${table} WHERE ${column('id')} = ${values.place(id)} FOR UPDATE`,
  )
}
