import { describeSchemas, type DescribedItem, type PostgresClient } from '@outgrow/databases'
import { systemSchema } from './relations.ts'

/** Everything of a database that can be compared once it was restored: tables and all that is theirs, functions and types. */
export async function describeDatabase(client: PostgresClient): Promise<DescribedItem[]> {
  const { rows: schemas } = await client.query<{ name: string }>(
    `SELECT nspname AS name FROM pg_namespace n WHERE NOT ${systemSchema('nspname')}`,
  )
  const tables = await describeSchemas(client, Object.fromEntries(schemas.map(({ name }) => [name, name])))
  const { rows: others } = await client.query<DescribedItem>(othersSql)
  return [...tables, ...others.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))]
}

const keyOf = ({ kind, name }: DescribedItem): string => `${kind} ${name}`

const notOfExtension = (oid: string, classId: string) =>
  `NOT EXISTS (SELECT 1 FROM pg_depend x WHERE x.classid = '${classId}'::regclass AND x.objid = ${oid} AND x.deptype = 'e')`

const othersSql = `
SELECT 'function' AS kind, p.oid::regprocedure::text AS name,
       concat_ws(' ', p.prokind, pg_get_function_result(p.oid), (SELECT lanname FROM pg_language WHERE oid = p.prolang), p.provolatile, p.proparallel,
         p.proisstrict, p.prosecdef, p.proleakproof, p.proconfig, p.probin, p.prosrc) AS definition
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE NOT ${systemSchema('n.nspname')} AND ${notOfExtension('p.oid', 'pg_proc')}
UNION ALL
SELECT 'full definition of function', p.oid::regprocedure::text, pg_get_functiondef(p.oid)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.prokind <> 'a' AND NOT ${systemSchema('n.nspname')} AND ${notOfExtension('p.oid', 'pg_proc')}
UNION ALL
SELECT 'domain', format_type(t.oid, NULL), concat_ws(' ', format_type(t.typbasetype, t.typtypmod), CASE WHEN t.typnotnull THEN 'not null' END, t.typdefault,
         (SELECT string_agg(format('%I %s', k.conname, pg_get_constraintdef(k.oid)), ' ' ORDER BY k.conname)
            FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'))
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE t.typtype = 'd' AND NOT ${systemSchema('n.nspname')} AND ${notOfExtension('t.oid', 'pg_type')}
UNION ALL
SELECT 'composite type', format_type(t.oid, NULL), (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
         FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
 WHERE NOT ${systemSchema('n.nspname')} AND ${notOfExtension('t.oid', 'pg_type')}
UNION ALL
SELECT 'range type', format_type(t.oid, NULL), format_type(r.rngsubtype, NULL)
  FROM pg_range r JOIN pg_type t ON t.oid = r.rngtypid JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE NOT ${systemSchema('n.nspname')} AND ${notOfExtension('t.oid', 'pg_type')}
UNION ALL
SELECT 'event trigger', evtname, concat_ws(' ', evtevent, evtfoid::regproc, evtenabled, evttags) FROM pg_event_trigger e
 WHERE ${notOfExtension('e.oid', 'pg_event_trigger')}
UNION ALL
SELECT 'publication', pubname, concat_ws(' ', puballtables, pubinsert, pubupdate, pubdelete, pubtruncate) FROM pg_publication
UNION ALL
SELECT 'extension', extname, '' FROM pg_extension WHERE extname <> 'plpgsql'
UNION ALL
SELECT 'schema', nspname, '' FROM pg_namespace n WHERE NOT ${systemSchema('nspname')}`
