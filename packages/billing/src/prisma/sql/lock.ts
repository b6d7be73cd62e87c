import type { Scope } from '../scope.ts'
import { rowsOf } from './statement.ts'

/**
 * Keeps those who grant by plans, who share it, from whoever changes the plans: a customer whose first subscription is not
 * committed yet is not found by what looks for those who pay a changed price. On SQLite there is one writer.
 */
export async function lockPlans(tx: Scope, as: 'reader' | 'writer'): Promise<void> {
  if (tx.provider === 'sqlite') return
  const take = as === 'reader' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock'
  await rowsOf(tx, () => `SELECT 1 FROM ${take}(hashtext('outgrow_billing_plans'))`)
}

/** Locks a customer's row until the transaction ends. On SQLite the transaction has the write lock from its start. */
export async function lockCustomer(tx: Scope, id: string): Promise<void> {
  if (tx.provider === 'sqlite') return
  await rowsOf(
    tx,
    (values, { customer: { table, column } }) =>
      `SELECT 1 FROM ${table} WHERE ${column('id')} = ${values.place(id)} FOR UPDATE`,
  )
}
