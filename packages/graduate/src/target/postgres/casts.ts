import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { sqlType } from '../../types/value-types.ts'
import { qualified } from './constraints.ts'

/** A type's name in pg_type, undefined where the server does not know it. */
export async function typeName(client: PostgresClient, type: string): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT typname AS name FROM pg_type WHERE oid = to_regtype($1)',
    [type],
  )
  return rows[0]?.name
}

/** Makes a column text, for the load. Returns the SQL of its default. */
export async function makeText(
  client: PostgresClient,
  table: { schema: string; name: string },
  column: string,
): Promise<string | null> {
  const { rows } = await client.query<{ default: string }>(
    `SELECT pg_get_expr(d.adbin, d.adrelid) AS default FROM pg_attrdef d
       JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
      WHERE d.adrelid = $1::regclass AND a.attname = $2`,
    [qualified(table), column],
  )
  const name = quoteIdentifier(column)
  await client.query(
    `ALTER TABLE ${qualified(table)} ALTER COLUMN ${name} DROP DEFAULT, ALTER COLUMN ${name} TYPE text`,
  )
  return rows[0]?.default ?? null
}

/** Gives a column of text its type, by the server's own input function. */
export async function castColumn(
  client: PostgresClient,
  table: { schema: string; name: string },
  { column, type, defaultSql }: { column: string; type: string; defaultSql: string | null },
): Promise<void> {
  const name = quoteIdentifier(column)
  const setDefault = defaultSql === null ? '' : `, ALTER COLUMN ${name} SET DEFAULT ${defaultSql}`
  await client.query(
    `ALTER TABLE ${qualified(table)} ALTER COLUMN ${name} TYPE ${type} USING ${name}::${type}${setDefault}`,
  )
}

/**
 * Makes a function of the session, `pg_temp.outgrow_cast_problem(text)`, that says what a cast would do to a text: NULL when
 * nothing is lost, `refused` or `lossy`. A loss shows when the value is compared in the type without its limits, or in a
 * wider one.
 * @param name the type's name in pg_type
 */
export async function makeCastProblemFunction(
  client: PostgresClient,
  type: string,
  name: string,
): Promise<void> {
  const wide = sqlType(name)?.wider
  const dropsDate = /^timet?z?$/.test(name) ? ` OR v ~ '^\\s*\\d{4}-' AND v !~ '^\\s*1970-01-01'` : ''
  const isLossy =
    wide === undefined
      ? ''
      : `BEGIN
           IF (v::${type})::text::${wide} IS DISTINCT FROM v::${wide}${dropsDate} THEN RETURN 'lossy'; END IF;
         EXCEPTION WHEN OTHERS THEN NULL; -- text that the wider type does not read cannot be compared
         END;`
  await client.query(`CREATE OR REPLACE FUNCTION pg_temp.outgrow_cast_problem(v text) RETURNS text LANGUAGE plpgsql SET timezone = 'UTC' AS $outgrow$
    BEGIN
      PERFORM v::${type};
      ${isLossy}
      RETURN NULL;
    EXCEPTION WHEN OTHERS THEN RETURN 'refused';
    END $outgrow$`)
}
