import type { PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { systemSchema } from '../catalog/relations.ts'

/** @throws Failure OUTGROW_RESTORE_NOT_EMPTY */
export async function refuseUnlessEmpty(client: PostgresClient): Promise<void> {
  const { rows } = await client.query<{ what: string }>(contentSql)
  if (rows.length === 0) return
  const names = rows.slice(0, 8).map(({ what }) => what)
  throw new Failure({
    code: 'OUTGROW_RESTORE_NOT_EMPTY',
    message: `The target is not empty: it has ${names.join(', ')}${rows.length > names.length ? ` and ${rows.length - names.length} more` : ''}.`,
    why: 'A restore creates everything itself, and overwrites nothing.',
    fix: 'Create a database for it (CREATE DATABASE restored TEMPLATE template0), and pass that one.',
  })
}

const ownObjects = (classId: string, oid: string) =>
  `NOT EXISTS (SELECT 1 FROM pg_depend x WHERE x.classid = '${classId}'::regclass AND x.objid = ${oid} AND x.deptype IN ('e', 'i'))`

const contentSql = `
SELECT format('schema %I', nspname) AS what FROM pg_namespace n
 WHERE NOT ${systemSchema('nspname')} AND nspname <> 'public' AND ${ownObjects('pg_namespace', 'n.oid')}
UNION ALL
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT ${systemSchema('n.nspname')} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND c.relpersistence <> 't' AND ${ownObjects('pg_class', 'c.oid')}
UNION ALL
SELECT format('function %s', p.oid::regprocedure) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE NOT ${systemSchema('n.nspname')} AND ${ownObjects('pg_proc', 'p.oid')}
UNION ALL
SELECT format('type %s', format_type(t.oid, NULL)) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE NOT ${systemSchema('n.nspname')} AND t.typtype IN ('d', 'e', 'r') AND ${ownObjects('pg_type', 't.oid')}
UNION ALL
SELECT format('%s large objects', count(*)) FROM pg_largeobject_metadata HAVING count(*) > 0
 ORDER BY 1`
