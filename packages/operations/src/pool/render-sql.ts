import { quoteIdentifier, quoteLiteral } from '@outgrow/databases'
import { authRole } from './names.ts'
import type { PoolRequest } from './pool-request.ts'

/** Statements for one database. */
export interface SetupSql {
  database: string
  text: string
}

/** What the pooler asks for each user that it does not know. */
export const secretQuery = 'SELECT username, secret FROM outgrow_pool.secret_of($1)'

/**
 * What has to be run on the server: every session in UTC, and where the pooler asks for passwords, the role and the function
 * for it.
 * @param authSecret of the role that asks
 */
export function renderSql({ databases, roles }: PoolRequest, authSecret: string | undefined): SetupSql[] {
  return databases.map(({ name }, at) => ({
    database: name,
    text: [
      ...(at === 0
        ? [zones(roles.map((role) => role.name)), ...(authSecret === undefined ? [] : [authUser(authSecret)])]
        : []),
      ...(authSecret === undefined ? [] : [secretFunction(roles.map((role) => role.name))]),
    ].join('\n'),
  }))
}

function zones(roles: string[]): string {
  return `-- Each session in UTC. A pooler may drop what a client asks for when it connects.
${roles.map((role) => `ALTER ROLE ${quoteIdentifier(role)} SET timezone = 'UTC';\n`).join('')}`
}

function authUser(secret: string): string {
  return `-- The role with which the pooler asks for the passwords of the others. It may do nothing else.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '${authRole}') THEN
    CREATE ROLE ${authRole};
  END IF;
END $$;
ALTER ROLE ${authRole} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD '${secret}';
`
}

/** In every database: the pooler asks in the one that its client wants. Only the roles that are pooled are told of. */
function secretFunction(roles: string[]): string {
  return `CREATE SCHEMA IF NOT EXISTS outgrow_pool;
CREATE OR REPLACE FUNCTION outgrow_pool.secret_of(role_name text, OUT username text, OUT secret text)
  RETURNS SETOF record LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog
  BEGIN ATOMIC
    SELECT rolname::text, rolpassword FROM pg_catalog.pg_authid
     WHERE rolname = role_name AND rolname IN (${roles.map((role) => quoteLiteral(role)).join(', ')})
       AND rolcanlogin AND (rolvaliduntil IS NULL OR rolvaliduntil > now());
  END;
REVOKE ALL ON SCHEMA outgrow_pool FROM PUBLIC;
REVOKE ALL ON FUNCTION outgrow_pool.secret_of(text) FROM PUBLIC;
GRANT USAGE ON SCHEMA outgrow_pool TO ${authRole};
GRANT EXECUTE ON FUNCTION outgrow_pool.secret_of(text) TO ${authRole};
`
}
