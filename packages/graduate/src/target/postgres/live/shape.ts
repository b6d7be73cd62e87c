import { Failure } from '@outgrow/kit'
import type { PostgresClient } from '@outgrow/databases'

/** Tells whether tables have been added, taken away or changed in these schemas. It is asked while writers wait. */
export async function shapeOf(client: PostgresClient, schemas: string[]): Promise<string> {
  const { rows } = await client.query<{ shape: string }>(
    `SELECT md5(coalesce(string_agg(concat_ws(' ', c.oid, quote_ident(c.relname), a.attnum, quote_ident(a.attname), a.atttypid, a.atttypmod, a.attnotnull), ',' ORDER BY c.oid, a.attnum), '')) AS shape
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p')`,
    [schemas],
  )
  return rows[0]?.shape ?? ''
}

export function schemaChanged(what: string): Failure {
  return new Failure({
    code: 'OUTGROW_SCHEMA_CHANGED_LIVE',
    message: `The schema of Postgres has changed since the switch: ${what}.`,
    why: 'The file does not have this, and rows could not go back whole.',
    fix: 'Undo the migration in Postgres first, or stay there: outgrow graduate complete.',
  })
}
