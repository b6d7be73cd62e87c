import type { PostgresClient } from '@outgrow/databases'
import type { TargetTable } from '../../model/table.ts'
import { readTargetTables } from './catalog.ts'

/** Schemas that are neither the server's, nor an extension's, nor this product's. */
export async function userSchemas(client: PostgresClient): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT nspname AS name FROM pg_namespace n
      WHERE nspname !~ '^(pg_|_outgrow_)' AND nspname <> 'information_schema'
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')
      ORDER BY 1`,
  )
  return rows.map(({ name }) => name)
}

/** Tables whose rows are somebody's: a partition's are its table's, and an extension's its own. */
export async function userTables(client: PostgresClient, schemas: string[]): Promise<TargetTable[]> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND c.relname <> '_prisma_migrations' AND c.relname !~ '^_outgrow_'
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`,
    [schemas],
  )
  const own = new Set(rows.map(({ schema, name }) => JSON.stringify([schema, name])))
  const tables = await readTargetTables(client, schemas)
  return tables.filter(({ schema, name }) => own.has(JSON.stringify([schema, name])))
}
