import type { PostgresClient } from '@outgrow/databases'
import type { Switch } from '../stage.ts'

/**
 * Has the rest of the transaction apply rows as a replica does: neither foreign keys nor ordinary triggers act on them.
 * Not every role may do that.
 * @returns whether this one may
 */
export async function actsAsReplica(client: PostgresClient): Promise<boolean> {
  await client.query('SAVEPOINT outgrow_replica')
  try {
    await client.query('SET LOCAL session_replication_role = replica')
    return true
  } catch (error) {
    if ((error as { code?: string }).code !== '42501') throw error
    await client.query('ROLLBACK TO SAVEPOINT outgrow_replica')
    return false
  }
}

/** What acts all the same, and the identity of rows that are published. */
export function firesOnReplicas({ on }: Switch): boolean {
  return !/ ENABLE TRIGGER /.test(on)
}
