import { quoteIdentifier, runStatements, type PostgresClient } from '@outgrow/databases'
import type { Constraint } from '../../model/table.ts'
import { qualified, readConstraints } from './constraints.ts'
import { requalify } from './requalify.ts'

/**
 * Copies the structure of the target's own empty tables into the staging schemas, without keys.
 * Types, defaults, checks, identity and generated columns come along; keys are returned, rewritten to the copies.
 */
export async function cloneTables(
  client: PostgresClient,
  schemas: Record<string, string>,
): Promise<Constraint[]> {
  const originals = Object.keys(schemas)
  const { rows } = await client.query<{ schema: string; name: string; unlogged: boolean }>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relpersistence = 'u' AS unlogged FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY($1) AND c.relkind = 'r' AND c.relname <> '_prisma_migrations'
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
      ORDER BY 1, 2`,
    [originals],
  )
  const copies = rows.map((table) => {
    const copy = qualified({ schema: schemas[table.schema] as string, name: table.name })
    return `CREATE ${table.unlogged ? 'UNLOGGED ' : ''}TABLE ${copy} (LIKE ${qualified(table)} INCLUDING ALL EXCLUDING INDEXES EXCLUDING CONSTRAINTS EXCLUDING STATISTICS)`
  })
  // Fully qualified definitions can be rewritten to the copies.
  await runStatements(client, [...copies, 'SET LOCAL search_path TO pg_catalog'])
  const constraints = await readConstraints(client, originals)
  const rewrite = (sql: string | null) =>
    sql === null ? null : requalify(quoteSchemas(sql, originals), (schema) => schemas[schema] ?? schema)
  return constraints
    .filter(({ table }) => table !== '_prisma_migrations')
    .map((constraint) => ({
      ...constraint,
      schema: schemas[constraint.schema] as string,
      indexSql: rewriteIndex(constraint.indexSql, constraint, schemas),
      definition: constraint.kind === 'foreign' ? rewrite(constraint.definition) : constraint.definition,
      parent: constraint.parent && {
        ...constraint.parent,
        schema: schemas[constraint.parent.schema] ?? constraint.parent.schema,
      },
    }))
}

/** `REFERENCES public."Org"(id)`: Postgres quotes a schema's name only where it must. */
function quoteSchemas(definition: string, schemas: string[]): string {
  return definition.replace(/ REFERENCES ([a-z_][a-z0-9_$]*)\./, (whole, schema: string) =>
    schemas.includes(schema) ? ` REFERENCES ${quoteIdentifier(schema)}.` : whole,
  )
}

/** Only the table's name is rewritten: types and functions in the definition stay where they are. */
function rewriteIndex(
  sql: string | null,
  { schema }: Constraint,
  schemas: Record<string, string>,
): string | null {
  if (sql === null) return null
  const plain = ` ON ${schema}.`
  const quoted = ` ON ${quoteIdentifier(schema)}.`
  const found = sql.includes(quoted) ? quoted : plain
  return sql.replace(found, () => ` ON ${quoteIdentifier(schemas[schema] as string)}.`)
}
