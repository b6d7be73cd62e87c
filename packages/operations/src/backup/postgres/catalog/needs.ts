import type { PostgresClient } from '@outgrow/databases'
import type { PostgresDetails } from '../details.ts'
import { systemSchema } from './relations.ts'

type Needs = Pick<
  PostgresDetails,
  'extensions' | 'collations' | 'collation' | 'tablespaces' | 'roles' | 'settings' | 'comment'
>

/** What of the server and its cluster a database rests on: a dump of the database does not hold it. */
export async function readNeeds(client: PostgresClient): Promise<Needs> {
  const { rows } = await client.query<{ needs: Needs }>(needsSql)
  return (rows[0] as { needs: Needs }).needs
}

/** What pg_dump leaves out, or is told to leave out, with how many there are. */
export async function readLeftOut(client: PostgresClient): Promise<string[]> {
  const { rows } = await client.query<{ note: string }>(leftOutSql)
  return rows.map(({ note }) => note)
}

/** SQL of the database's own collation. Its column has another name in each version. */
const collationSql = `(SELECT coalesce(d ->> 'datlocale', d ->> 'daticulocale', d ->> 'datcollate')
   FROM (SELECT to_jsonb(b) AS d FROM pg_database b WHERE datname = current_database()) own)`

/** By which this database sorts texts. */
export async function readCollation(client: PostgresClient): Promise<string> {
  const { rows } = await client.query<{ name: string }>(`SELECT ${collationSql} AS name`)
  return rows[0]?.name ?? ''
}

const ofUser = (oid: string, classId: string) =>
  `NOT EXISTS (SELECT 1 FROM pg_depend x WHERE x.classid = '${classId}'::regclass AND x.objid = ${oid} AND x.deptype = 'e')`

const needsSql = `
WITH owned AS (
  SELECT relowner AS owner, relacl AS acl FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE NOT ${systemSchema('n.nspname')} AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND ${ofUser('c.oid', 'pg_class')}
  UNION ALL
  SELECT proowner, proacl FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE NOT ${systemSchema('n.nspname')} AND ${ofUser('p.oid', 'pg_proc')}
  UNION ALL
  SELECT typowner, typacl FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE NOT ${systemSchema('n.nspname')} AND t.typtype IN ('b', 'd', 'e', 'r') AND t.typelem = 0 AND ${ofUser('t.oid', 'pg_type')}
  UNION ALL
  SELECT nspowner, nspacl FROM pg_namespace n WHERE NOT ${systemSchema('n.nspname')} AND ${ofUser('n.oid', 'pg_namespace')}
  UNION ALL
  SELECT NULL, attacl FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE attacl IS NOT NULL AND NOT ${systemSchema('n.nspname')} AND ${ofUser('c.oid', 'pg_class')}
  UNION ALL
  SELECT defaclrole, defaclacl FROM pg_default_acl
), collated AS (
  SELECT attcollation AS id FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE NOT ${systemSchema('n.nspname')} AND a.attcollation <> 0
  UNION SELECT typcollation FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE NOT ${systemSchema('n.nspname')} AND typcollation <> 0
  UNION SELECT refobjid FROM pg_depend WHERE refclassid = 'pg_collation'::regclass
)
SELECT json_build_object(
  'extensions', (SELECT coalesce(json_agg(json_build_object('name', extname, 'version', extversion) ORDER BY extname), '[]')
                   FROM pg_extension WHERE extname <> 'plpgsql'),
  'collations', (SELECT coalesce(json_agg(DISTINCT l.collname), '[]') FROM pg_collation l
                  WHERE l.oid IN (SELECT id FROM collated) AND l.collnamespace = 'pg_catalog'::regnamespace
                    AND l.collname NOT IN ('default', 'C', 'POSIX')),
  'collation', ${collationSql},
  'tablespaces', (SELECT coalesce(json_agg(DISTINCT spcname), '[]') FROM pg_class c JOIN pg_tablespace s ON s.oid = c.reltablespace
                   WHERE spcname <> 'pg_global'),
  'roles', json_build_object(
     'owners', (SELECT coalesce(json_agg(DISTINCT r.rolname), '[]') FROM owned JOIN pg_roles r ON r.oid = owner),
     'grantees', (SELECT coalesce(json_agg(DISTINCT r.rolname), '[]') FROM owned CROSS JOIN LATERAL aclexplode(acl) e
                    JOIN pg_roles r ON r.oid IN (e.grantee, e.grantor)),
     'inPolicies', (SELECT coalesce(json_agg(DISTINCT r.rolname), '[]') FROM pg_policy JOIN pg_roles r ON r.oid = ANY(polroles))),
  'settings', (SELECT coalesce(json_agg(json_build_object('role', r.rolname, 'name', split_part(one, '=', 1),
                                                          'value', substr(one, strpos(one, '=') + 1)) ORDER BY r.rolname, one), '[]')
                 FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(setconfig) one LEFT JOIN pg_roles r ON r.oid = s.setrole
                WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())),
  'comment', (SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database())) AS needs`

const leftOutSql = `
SELECT format('%s is a foreign table: its definition is in the backup, its rows are not.', c.oid::regclass) AS note
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'f' AND NOT ${systemSchema('n.nspname')}
UNION ALL
SELECT format('The subscription %I is not in the backup: create it again where it is wanted.', subname)
  FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL
SELECT format('%s is unlogged: its rows are not in the backup, since a replica has none of them.', c.oid::regclass)
  FROM pg_class c WHERE c.relkind IN ('r', 'S') AND c.relpersistence = 'u' AND pg_is_in_recovery()
UNION ALL
SELECT DISTINCT 'Owners and grants of large objects are not in the backup.'
  FROM pg_largeobject_metadata WHERE lomacl IS NOT NULL OR lomowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)`
