import { pipelined } from './pipelined.ts'
import type { PostgresClient } from './postgres.ts'
import { quoteIdentifier } from './quote.ts'

/** One thing that a schema holds, named without the schema in which it is being built. */
export interface DescribedItem {
  kind: string
  name: string
  definition: string
}

/** Kinds that say who may do what: they come from the target, not from the tables' own DDL. */
export const grantKinds: ReadonlySet<string> = new Set([
  'owner',
  'grant',
  'column grant',
  'publication',
  'row security',
  'policy',
])

/**
 * Everything that a dump of the schemas would say of their tables, as lines that can be compared. Rows and the positions
 * of counters are not part of it.
 * @param schemas the schema that is read to the name that it goes by
 */
export async function describeSchemas(
  client: PostgresClient,
  schemas: Record<string, string>,
): Promise<DescribedItem[]> {
  // Outside any search path every name is written with its schema, the same in whatever session.
  const [, , { rows }] = await pipelined(client, () => [
    client.query("SELECT set_config('outgrow.search_path', current_setting('search_path'), false)"),
    client.query('SET search_path TO pg_catalog'),
    client.query<DescribedItem>(itemsSql, [Object.keys(schemas)]),
    client.query("SELECT set_config('search_path', current_setting('outgrow.search_path'), false)"),
  ])
  return rows
    .map(({ kind, name, definition }) => ({
      kind,
      name: renamed(name, schemas),
      definition: renamed(definition ?? '', schemas),
    }))
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

/** What `promised` has and `found` has not, or has in another form. */
export function missingItems(promised: DescribedItem[], found: DescribedItem[]): DescribedItem[] {
  const there = new Set(found.map(textOf))
  return promised.filter((item) => !there.has(textOf(item)))
}

const keyOf = ({ kind, name }: DescribedItem): string => `${kind}\0${name}`
const textOf = (item: DescribedItem): string => `${keyOf(item)}\0${item.definition}`

function renamed(text: string, schemas: Record<string, string>): string {
  let result = text
  for (const [schema, name] of Object.entries(schemas)) {
    result = result.replaceAll(`${quoteIdentifier(schema)}.`, `${name}.`)
    // The names of a run's schemas occur nowhere else.
    if (schema !== name) result = result.replaceAll(`${schema}.`, `${name}.`)
  }
  return result
}

const itemsSql = `
WITH tables AS (
  SELECT c.*, n.nspname, format('%s.%s', n.nspname, c.relname) AS label
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p') AND c.relname NOT LIKE '\\_outgrow\\_%' AND c.relname <> '_prisma_migrations'
     AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
), columns AS (
  SELECT t.label, a.* FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid WHERE a.attnum > 0 AND NOT a.attisdropped
), sequences AS (
  SELECT c.*, format('%s.%s', n.nspname, c.relname) AS label,
         (SELECT format('%s.%s', d.refobjid::regclass, a.attname) FROM pg_depend d
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
           WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') LIMIT 1) AS owned
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = ANY($1) AND c.relkind = 'S' AND c.relname NOT LIKE '\\_outgrow\\_%'
)
SELECT 'table' AS kind, label AS name,
       concat_ws(' ', relpersistence::text, relkind::text, (SELECT amname FROM pg_am WHERE oid = relam), coalesce((SELECT spcname FROM pg_tablespace WHERE oid = reltablespace), '0'),
         array_to_string(reloptions, ','), (SELECT 'toast ' || array_to_string(x.reloptions, ',') FROM pg_class x WHERE x.oid = reltoastrelid),
         'identity ' || relreplident::text, reloftype::text,
         (SELECT 'inherits ' || string_agg(inhparent::regclass::text, ',' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = oid)) AS definition FROM tables
UNION ALL
SELECT 'column', format('%s.%s', label, attname),
       concat_ws(' ', format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'not null' END,
         nullif(attidentity::text, ''), nullif(attgenerated::text, ''),
         (SELECT 'default ' || pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = attrelid AND d.adnum = attnum),
         (SELECT l.collnamespace::regnamespace || '.' || l.collname FROM pg_collation l WHERE l.oid = attcollation AND l.oid <> (SELECT typcollation FROM pg_type WHERE oid = atttypid)),
         attstorage::text, nullif(attcompression::text, ''), nullif(attstattarget, -1), array_to_string(attoptions, ',')) FROM columns
UNION ALL
SELECT 'constraint', format('%s.%s', t.label, k.conname), pg_get_constraintdef(k.oid)
  FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid
UNION ALL
SELECT 'index', format('%s.%s', t.label, x.indexrelid::regclass),
       concat_ws(' ', pg_get_indexdef(x.indexrelid), CASE WHEN NOT x.indisvalid THEN 'invalid' END,
         CASE WHEN x.indisclustered THEN 'clustered' END, CASE WHEN x.indisreplident THEN 'replica identity' END,
         (SELECT string_agg(format('%s statistics %s', a.attnum, a.attstattarget), ', ' ORDER BY a.attnum) FROM pg_attribute a
           WHERE a.attrelid = x.indexrelid AND a.attstattarget >= 0))
  FROM tables t JOIN pg_index x ON x.indrelid = t.oid
UNION ALL
SELECT 'sequence', label, concat_ws(' ', format_type(q.seqtypid, NULL), q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, q.seqcycle, 'of ' || owned)
  FROM sequences s JOIN pg_sequence q ON q.seqrelid = s.oid
UNION ALL
SELECT 'statistics', format('%s.%s', t.label, e.stxname), concat_ws(' ', pg_get_statisticsobjdef(e.oid), nullif(e.stxstattarget, -1)) FROM tables t JOIN pg_statistic_ext e ON e.stxrelid = t.oid
UNION ALL
SELECT 'enum', format('%s.%s', n.nspname, y.typname), (SELECT string_agg(quote_literal(l.enumlabel), ', ' ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid = y.oid)
  FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace WHERE n.nspname = ANY($1) AND y.typtype = 'e'
UNION ALL
SELECT 'view', format('%s.%s', n.nspname, c.relname), pg_get_viewdef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY($1) AND c.relkind IN ('v', 'm')
   AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
UNION ALL
SELECT 'trigger', format('%s.%s', t.label, g.tgname), concat_ws(' ', pg_get_triggerdef(g.oid), g.tgenabled::text,
         (SELECT 'depends on ' || string_agg(x.extname, ',' ORDER BY x.extname) FROM pg_depend JOIN pg_extension x ON x.oid = refobjid WHERE objid = g.oid AND classid = 'pg_trigger'::regclass AND deptype = 'x'))
  FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid WHERE NOT g.tgisinternal
UNION ALL
SELECT 'rule', format('%s.%s', t.label, w.rulename), concat_ws(' ', pg_get_ruledef(w.oid), w.ev_enabled::text) FROM tables t JOIN pg_rewrite w ON w.ev_class = t.oid
UNION ALL
SELECT 'row security', label, concat_ws(' ', CASE WHEN relrowsecurity THEN 'enabled' END, CASE WHEN relforcerowsecurity THEN 'forced' END) FROM tables
UNION ALL
SELECT 'policy', format('%s.%s', t.label, p.polname),
       concat_ws(' ', p.polpermissive, p.polcmd, (SELECT string_agg(CASE r WHEN 0 THEN 'public' ELSE r::regrole::text END, ',' ORDER BY CASE r WHEN 0 THEN 'public' ELSE r::regrole::text END) FROM unnest(p.polroles) r),
         pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
  FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
UNION ALL
SELECT 'owner', label, relowner::regrole::text FROM tables
UNION ALL
SELECT 'grant', o.label, x.line FROM (SELECT label, relacl, relowner, 'r' AS type FROM tables UNION ALL SELECT label, relacl, relowner, 's' FROM sequences) o
  CROSS JOIN LATERAL (SELECT string_agg(format('%s=%s%s/%s', CASE e.grantee WHEN 0 THEN '' ELSE e.grantee::regrole::text END, e.privilege_type,
      CASE WHEN e.is_grantable THEN '*' ELSE '' END, e.grantor::regrole), ' ' ORDER BY CASE e.grantee WHEN 0 THEN '' ELSE e.grantee::regrole::text END, e.privilege_type) AS line
    FROM aclexplode(coalesce(o.relacl, acldefault(o.type::"char", o.relowner))) e) x
UNION ALL
SELECT 'column grant', format('%s.%s', label, attname), (SELECT string_agg(format('%s=%s%s', CASE e.grantee WHEN 0 THEN '' ELSE e.grantee::regrole::text END,
      e.privilege_type, CASE WHEN e.is_grantable THEN '*' ELSE '' END), ' ' ORDER BY CASE e.grantee WHEN 0 THEN '' ELSE e.grantee::regrole::text END, e.privilege_type) FROM aclexplode(attacl) e)
  FROM columns WHERE attacl IS NOT NULL
UNION ALL
SELECT 'publication', format('%s in %s', t.label, p.pubname), concat_ws(' ', (SELECT string_agg(a.attname, ',' ORDER BY a.attnum) FROM pg_attribute a
      WHERE a.attrelid = t.oid AND a.attnum = ANY(r.prattrs::int2[])), pg_get_expr(r.prqual, r.prrelid))
  FROM tables t JOIN pg_publication_rel r ON r.prrelid = t.oid JOIN pg_publication p ON p.oid = r.prpubid
UNION ALL
SELECT 'comment', format('%s on %s %s', d.classoid::regclass, t.label,
         coalesce(nullif(d.objsubid, 0)::text, (SELECT conname FROM pg_constraint WHERE oid = d.objoid AND d.classoid = 'pg_constraint'::regclass),
           (SELECT tgname FROM pg_trigger WHERE oid = d.objoid AND d.classoid = 'pg_trigger'::regclass),
           (SELECT polname FROM pg_policy WHERE oid = d.objoid AND d.classoid = 'pg_policy'::regclass),
           (SELECT stxname FROM pg_statistic_ext WHERE oid = d.objoid AND d.classoid = 'pg_statistic_ext'::regclass),
           (SELECT rulename FROM pg_rewrite WHERE oid = d.objoid AND d.classoid = 'pg_rewrite'::regclass),
           (SELECT relname FROM pg_class WHERE oid = d.objoid AND d.classoid = 'pg_class'::regclass AND oid <> t.oid), '')), d.description
  FROM tables t JOIN pg_description d ON
       (d.classoid = 'pg_class'::regclass AND (d.objoid = t.oid OR d.objoid IN (SELECT indexrelid FROM pg_index WHERE indrelid = t.oid)
         OR d.objoid IN (SELECT objid FROM pg_depend WHERE refobjid = t.oid AND classid = 'pg_class'::regclass AND deptype IN ('a', 'i'))))
    OR (d.classoid = 'pg_statistic_ext'::regclass AND d.objoid IN (SELECT oid FROM pg_statistic_ext WHERE stxrelid = t.oid))
    OR (d.classoid = 'pg_rewrite'::regclass AND d.objoid IN (SELECT oid FROM pg_rewrite WHERE ev_class = t.oid))
    OR (d.classoid = 'pg_constraint'::regclass AND d.objoid IN (SELECT oid FROM pg_constraint WHERE conrelid = t.oid))
    OR (d.classoid = 'pg_trigger'::regclass AND d.objoid IN (SELECT oid FROM pg_trigger WHERE tgrelid = t.oid))
    OR (d.classoid = 'pg_policy'::regclass AND d.objoid IN (SELECT oid FROM pg_policy WHERE polrelid = t.oid))`
