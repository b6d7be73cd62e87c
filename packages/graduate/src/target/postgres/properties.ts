import type { PostgresClient } from '@outgrow/databases'

/**
 * Statements that give tables, once they have taken the place of others of the same names, what a copy of a table does not
 * take along: owner, grants, row security, policies, triggers, options, publications, comments and the like. Read before
 * the others are dropped; the names in them are the final ones.
 */
export async function readProperties(
  client: PostgresClient,
  schemas: string[],
): Promise<{ owners: string[]; rest: string[] }> {
  const { rows } = await client.query<{ rank: number; statement: string }>(propertiesSql, [schemas])
  const statements = (isOwner: boolean) =>
    rows.filter(({ rank }) => (rank === 1) === isOwner).map(({ statement }) => statement)
  return { owners: statements(true), rest: statements(false) }
}

const grantee = (column: string) => `CASE ${column} WHEN 0 THEN 'PUBLIC' ELSE ${column}::regrole::text END`

const propertiesSql = `
WITH tables AS (
  SELECT c.*, format('%I.%I', n.nspname, c.relname) AS label, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = ANY($1) AND c.relkind = 'r' AND c.relname NOT LIKE '\\_outgrow\\_%' AND c.relname <> '_prisma_migrations'
     AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
), identities AS (
  SELECT s.*, format('%I.%I', n.nspname, s.relname) AS label FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace
   WHERE s.relkind = 'S' AND s.oid IN (SELECT d.objid FROM pg_depend d JOIN tables t ON t.oid = d.refobjid WHERE d.deptype = 'i')
), granted AS (
  SELECT label, relacl AS acl, relowner, 'TABLE' AS what FROM tables WHERE relacl IS NOT NULL
  UNION ALL SELECT label, relacl, relowner, 'SEQUENCE' FROM identities WHERE relacl IS NOT NULL
), indexes AS (
  SELECT t.label AS table_label, x.*, i.relname AS index_name, format('%I.%I', t.nspname, i.relname) AS label
    FROM tables t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
)
SELECT rank, statement FROM (
  SELECT 10 AS rank, 0 AS place, format('ALTER TABLE %s SET (%s)', label, array_to_string(reloptions, ', ')) AS statement FROM tables WHERE reloptions IS NOT NULL
  UNION ALL SELECT 10, 1, format('ALTER TABLE %s SET (%s)', t.label, (SELECT string_agg('toast.' || o, ', ') FROM unnest(x.reloptions) o))
    FROM tables t JOIN pg_class x ON x.oid = t.reltoastrelid WHERE x.reloptions IS NOT NULL
  UNION ALL SELECT 11, a.attnum, format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', t.label, a.attname, a.attstattarget)
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget >= 0
  UNION ALL SELECT 11, a.attnum, format('ALTER TABLE %s ALTER COLUMN %I SET (%s)', t.label, a.attname, array_to_string(a.attoptions, ', '))
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attoptions IS NOT NULL
  UNION ALL SELECT 11, a.attnum, format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', i.label, a.attnum, a.attstattarget)
    FROM indexes i JOIN pg_attribute a ON a.attrelid = i.indexrelid WHERE a.attstattarget >= 0
  UNION ALL SELECT 12, 0, format('ALTER TABLE %s CLUSTER ON %I', table_label, index_name) FROM indexes WHERE indisclustered
  UNION ALL SELECT 12, 1, format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', table_label, index_name) FROM indexes WHERE indisreplident
  UNION ALL SELECT 12, 2, format('ALTER TABLE %s REPLICA IDENTITY %s', label, CASE relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END)
    FROM tables WHERE relreplident IN ('f', 'n')
  UNION ALL SELECT 12, 3, format('ALTER SEQUENCE %s AS %s MINVALUE %s MAXVALUE %s', i.label, format_type(q.seqtypid, NULL), q.seqmin, q.seqmax)
    FROM identities i JOIN pg_sequence q ON q.seqrelid = i.oid -- LIKE makes every identity a bigint
  UNION ALL SELECT 13, 0, pg_get_statisticsobjdef(e.oid) FROM tables t JOIN pg_statistic_ext e ON e.stxrelid = t.oid
  UNION ALL SELECT 13, 1, format('ALTER STATISTICS %I.%I SET STATISTICS %s', t.nspname, e.stxname, e.stxstattarget) FROM tables t JOIN pg_statistic_ext e ON e.stxrelid = t.oid WHERE e.stxstattarget >= 0
  UNION ALL SELECT 14, 0, pg_get_triggerdef(g.oid) FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid WHERE NOT g.tgisinternal
  UNION ALL SELECT 15, 0, format('ALTER TABLE %s %s TRIGGER %I', t.label, CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, g.tgname)
    FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid WHERE NOT g.tgisinternal AND g.tgenabled <> 'O'
  UNION ALL SELECT 16, 0, pg_get_ruledef(w.oid) FROM tables t JOIN pg_rewrite w ON w.ev_class = t.oid
  UNION ALL SELECT 16, 1, format('ALTER TABLE %s %s RULE %I', t.label, CASE w.ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, w.rulename)
    FROM tables t JOIN pg_rewrite w ON w.ev_class = t.oid WHERE w.ev_enabled <> 'O'
  UNION ALL SELECT 17, 0, format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', label) FROM tables WHERE relrowsecurity
  UNION ALL SELECT 17, 1, format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', label) FROM tables WHERE relforcerowsecurity
  UNION ALL SELECT 18, 0, format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', p.polname, t.label,
      CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
      CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
      (SELECT string_agg(${grantee('r')}, ', ' ORDER BY n) FROM unnest(p.polroles) WITH ORDINALITY x(r, n)),
      ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
    FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
  UNION ALL SELECT 19, 0, format('ALTER PUBLICATION %I ADD TABLE %s%s%s', p.pubname, t.label,
      (SELECT ' (' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) || ')' FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = ANY(r.prattrs::int2[])),
      ' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')')
    FROM tables t JOIN pg_publication_rel r ON r.prrelid = t.oid JOIN pg_publication p ON p.oid = r.prpubid
  UNION ALL SELECT 20, 0, format('COMMENT ON TABLE %s IS %L', t.label, d.description) FROM tables t JOIN pg_description d
      ON d.objoid = t.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
  UNION ALL SELECT 20, 1, format('COMMENT ON COLUMN %s.%I IS %L', t.label, a.attname, d.description) FROM tables t JOIN pg_description d
      ON d.objoid = t.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid > 0 JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.objsubid
  UNION ALL SELECT 20, 2, format('COMMENT ON INDEX %s IS %L', i.label, d.description) FROM indexes i JOIN pg_description d
      ON d.objoid = i.indexrelid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
  UNION ALL SELECT 20, 3, format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, t.label, d.description) FROM tables t
      JOIN pg_constraint k ON k.conrelid = t.oid JOIN pg_description d ON d.objoid = k.oid AND d.classoid = 'pg_constraint'::regclass
  UNION ALL SELECT 20, 4, format('COMMENT ON TRIGGER %I ON %s IS %L', g.tgname, t.label, d.description) FROM tables t
      JOIN pg_trigger g ON g.tgrelid = t.oid JOIN pg_description d ON d.objoid = g.oid AND d.classoid = 'pg_trigger'::regclass
  UNION ALL SELECT 20, 5, format('COMMENT ON POLICY %I ON %s IS %L', p.polname, t.label, d.description) FROM tables t
      JOIN pg_policy p ON p.polrelid = t.oid JOIN pg_description d ON d.objoid = p.oid AND d.classoid = 'pg_policy'::regclass
  UNION ALL SELECT 20, 6, format('COMMENT ON SEQUENCE %s IS %L', i.label, d.description) FROM identities i JOIN pg_description d ON d.objoid = i.oid AND d.classoid = 'pg_class'::regclass
  UNION ALL SELECT 20, 7, format('COMMENT ON STATISTICS %I.%I IS %L', t.nspname, e.stxname, d.description) FROM tables t
      JOIN pg_statistic_ext e ON e.stxrelid = t.oid JOIN pg_description d ON d.objoid = e.oid AND d.classoid = 'pg_statistic_ext'::regclass
  UNION ALL SELECT 20, 8, format('COMMENT ON RULE %I ON %s IS %L', w.rulename, t.label, d.description) FROM tables t
      JOIN pg_rewrite w ON w.ev_class = t.oid JOIN pg_description d ON d.objoid = w.oid AND d.classoid = 'pg_rewrite'::regclass
  UNION ALL SELECT 31, 1, format('REVOKE ALL ON TABLE %s FROM %s', t.label, CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE e.grantee::regrole::text END)
    FROM tables t CROSS JOIN pg_default_acl a CROSS JOIN LATERAL aclexplode(a.defaclacl) e
   WHERE t.relacl IS NULL AND a.defaclrole = current_user::regrole AND a.defaclnamespace = 0 AND a.defaclobjtype = 'r' AND e.grantee <> t.relowner
  UNION ALL SELECT 1, 0, format('ALTER TABLE %s OWNER TO %s', label, relowner::regrole) FROM tables WHERE relowner <> current_user::regrole
  UNION ALL SELECT 31, 0, format('REVOKE ALL ON %s %s FROM PUBLIC, %s', what, label, relowner::regrole) FROM granted
  UNION ALL SELECT 32, e.n::int, format('GRANT %s ON %s %s TO %s%s', e.privilege_type, g.what, g.label, ${grantee('e.grantee')},
      CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM granted g CROSS JOIN LATERAL aclexplode(g.acl) WITH ORDINALITY e(grantor, grantee, privilege_type, is_grantable, n)
  UNION ALL SELECT 33, a.attnum, format('GRANT %s (%I) ON %s TO %s%s', e.privilege_type, a.attname, t.label, ${grantee('e.grantee')},
      CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid CROSS JOIN LATERAL aclexplode(a.attacl) e WHERE a.attacl IS NOT NULL
) x ORDER BY rank, place, statement`

/** Grants that the role's default privileges would have given, had the tables been made where they end. */
export async function readDefaultGrants(
  client: PostgresClient,
  schemas: Record<string, string>,
): Promise<string[]> {
  const { rows } = await client.query<{ statement: string }>(
    `SELECT format('GRANT %s ON %s %s TO %s%s', e.privilege_type, CASE WHEN o.type = 'S' THEN 'SEQUENCE' WHEN o.type = 'T' THEN 'TYPE' WHEN o.type = 'f' THEN 'ROUTINE' ELSE 'TABLE' END,
              o.label, ${grantee('e.grantee')}, CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' END) AS statement
       FROM (SELECT c.relname AS name, CASE c.relkind WHEN 'S' THEN 'S' ELSE 'r' END AS type, n.nspname, m.home, format('%I.%I', m.home, c.relname) AS label
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN unnest($1::text[], $2::text[]) m(staged, home) ON m.staged = n.nspname
              WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND c.relname NOT LIKE '\\_outgrow\\_%'
             UNION ALL SELECT t.typname, 'T', n.nspname, m.home, format('%I.%I', m.home, t.typname)
               FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN unnest($1::text[], $2::text[]) m(staged, home) ON m.staged = n.nspname
              WHERE t.typtype IN ('e', 'd')
             UNION ALL SELECT p.proname, 'f', n.nspname, m.home, format('%I.%I(%s)', m.home, p.proname, pg_get_function_identity_arguments(p.oid))
               FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN unnest($1::text[], $2::text[]) m(staged, home) ON m.staged = n.nspname) o
       JOIN pg_namespace h ON h.nspname = o.home
       JOIN pg_default_acl d ON d.defaclnamespace = h.oid AND d.defaclrole = current_user::regrole AND d.defaclobjtype = o.type::"char"
      CROSS JOIN LATERAL aclexplode(d.defaclacl) e ORDER BY o.label, e.grantee, e.privilege_type`,
    [Object.values(schemas), Object.keys(schemas)],
  )
  return rows.map(({ statement }) => statement)
}
