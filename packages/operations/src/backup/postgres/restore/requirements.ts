import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { readCollation } from '../catalog/needs.ts'
import type { PostgresDetails } from '../details.ts'
import { majorOf, serverVersion } from '../server.ts'

/** What a backup rests on that a server does not have. */
export interface Missing {
  /** The major versions of the server and of the backup, where the server is older. */
  olderThan: { server: number; backup: number } | undefined
  extensions: string[]
  collations: string[]
  policyRoles: string[]
  /** The rest goes on without them. */
  roles: string[]
  tablespaces: string[]
  /** The target's, where it is another. */
  collation: string | undefined
}

export async function findMissing(client: PostgresClient, details: PostgresDetails): Promise<Missing> {
  const { number } = await serverVersion(client)
  const [server, backup] = [majorOf(number), majorOf(details.serverVersion)]
  const names = async (sql: string, wanted: readonly string[]) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT DISTINCT w AS name FROM unnest($1::text[]) w WHERE w NOT IN (${sql}) ORDER BY 1`,
      [wanted],
    )
    return rows.map(({ name }) => name)
  }
  const { owners, grantees, inPolicies } = details.roles
  const collation = await readCollation(client)
  const policyRoles = await names('SELECT rolname FROM pg_roles', inPolicies)
  return {
    olderThan: server < backup ? { server, backup } : undefined,
    extensions: await names(
      'SELECT name FROM pg_available_extensions',
      details.extensions.map(({ name }) => name),
    ),
    collations: await names(
      "SELECT collname FROM pg_collation WHERE collnamespace = 'pg_catalog'::regnamespace AND collencoding IN (-1, (SELECT encoding FROM pg_database WHERE datname = current_database()))",
      details.collations,
    ),
    policyRoles,
    roles: await names('SELECT rolname FROM pg_roles', [...owners, ...grantees]),
    tablespaces: await names('SELECT spcname FROM pg_tablespace', details.tablespaces),
    collation: plain(collation) === plain(details.collation) ? undefined : collation,
  }
}

/** `C.UTF-8` and `C.utf8` are one. */
const plain = (collation: string) => collation.toLowerCase().replaceAll('-', '')

/** @throws Failure OUTGROW_RESTORE_SERVER, OUTGROW_RESTORE_ROLES */
export function refuseMissing({ olderThan, extensions, collations, policyRoles }: Missing): void {
  if (olderThan) {
    throw lacking(
      `The target is PostgreSQL ${olderThan.server}, and the backup is one of PostgreSQL ${olderThan.backup}.`,
      `Restore into PostgreSQL ${olderThan.backup} or later.`,
    )
  }
  if (extensions.length > 0) {
    throw lacking(
      `The target’s server does not have the ${extensions.length === 1 ? 'extension' : 'extensions'} ${extensions.join(', ')}.`,
      'Install the packages of these extensions on the server, or restore into a server that has them (a managed one lists them in its documentation).',
    )
  }
  if (collations.length > 0) {
    throw lacking(
      `The target’s server does not have the ${collations.length === 1 ? 'collation' : 'collations'} ${collations.join(', ')}.`,
      "Install these locales in its operating system, run SELECT pg_import_system_collations('pg_catalog') and try again; or restore into a database that has them and the encoding of the source.",
    )
  }
  if (policyRoles.length === 0) return
  throw new Failure({
    code: 'OUTGROW_RESTORE_ROLES',
    message: `Policies of the backup are for roles that the target’s server does not have: ${policyRoles.join(', ')}.`,
    why: 'Without them its rows would be seen by others than before.',
    fix: `Create them first: ${policyRoles.map((role) => `CREATE ROLE ${quoteIdentifier(role)};`).join(' ')}`,
  })
}

function lacking(message: string, fix: string): Failure {
  return new Failure({
    code: 'OUTGROW_RESTORE_SERVER',
    message,
    why: 'The backup’s tables, or the order of its texts, rest on it.',
    fix,
  })
}
