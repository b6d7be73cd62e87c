import type { PostgresClient } from '@outgrow/databases'
import { ownerOf, type DumpStatement } from './script.ts'

/** Whom the restoring role can make an owner. */
export interface Owners {
  self: string
  /** Roles that it may act as. */
  others: ReadonlySet<string>
}

export async function readOwners(client: PostgresClient): Promise<Owners> {
  // Since PostgreSQL 16 a member may lack this very right.
  const { rows } = await client.query<{ name: string; isSelf: boolean }>(
    `SELECT rolname AS name, rolname = current_user AS "isSelf" FROM pg_roles
      WHERE pg_has_role(oid, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)`,
  )
  return {
    self: rows.find(({ isSelf }) => isSelf)?.name ?? '',
    others: new Set(rows.filter(({ isSelf }) => !isSelf).map(({ name }) => name)),
  }
}

/** Statements that make an owner of a role that can be made one, and is not the owner already. */
export function possibleOwners(statements: readonly DumpStatement[], { others }: Owners): DumpStatement[] {
  return statements.filter(({ text }) => {
    const owner = ownerOf(text)
    return owner === undefined || others.has(owner)
  })
}

/** Owners that stay behind. */
export function lostOwners(owners: readonly string[], { self, others }: Owners): string[] {
  // That role is whoever owns the database.
  return owners.filter((owner) => owner !== self && owner !== 'pg_database_owner' && !others.has(owner))
}
