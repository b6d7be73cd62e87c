import type { PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { filledTables } from './filled-tables.ts'

/**
 * Refuses a server into which rows could not be loaded right.
 * @throws Failure OUTGROW_TARGET_ENCODING
 */
export async function checkServer(client: PostgresClient): Promise<void> {
  const { rows } = await client.query<{ encoding: string }>(
    "SELECT current_setting('server_encoding') AS encoding",
  )
  const encoding = rows[0]?.encoding
  if (encoding === 'UTF8') return
  throw new Failure({
    code: 'OUTGROW_TARGET_ENCODING',
    message: `The target's encoding is ${encoding}.`,
    why: 'SQLite stores UTF-8; other encodings cannot represent every text.',
    fix: "Run CREATE DATABASE app ENCODING 'UTF8' TEMPLATE template0, and pass that database.",
  })
}

/** What the target holds already: nothing, or the empty tables of the project's own migrations. */
export type TargetState = 'empty' | 'migrated'

/**
 * Looks whether the target may be filled: empty, or holding just the empty tables of the project's own migrations.
 * @param expected tables that the schema has, as `schema.table`
 * @throws Failure OUTGROW_TARGET_NOT_EMPTY
 */
export async function readTargetState(
  client: PostgresClient,
  schemas: string[],
  expected: Set<string>,
): Promise<TargetState> {
  const { rows } = await client.query<{ schema: string; name: string; kind: string }>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
     UNION ALL
     SELECT n.nspname, t.typname, 'e' FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
      WHERE n.nspname = ANY($1) AND t.typtype = 'e'
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
      ORDER BY 1, 2`,
    [schemas],
  )
  const tables = rows.filter(({ kind }) => kind === 'r' || kind === 'p')
  if (rows.length === 0) return 'empty'
  const own = tables.filter(({ name }) => name !== '_prisma_migrations')
  const filled = await filledTables(client, own)
  const full = own.flatMap((table) => {
    if (filled.includes(table)) return [`${table.name} (has rows)`]
    return expected.has(`${table.schema}.${table.name}`) ? [] : [table.name]
  })
  const others = rows.filter(({ kind }) => kind === 'v' || kind === 'm' || kind === 'f')
  full.push(...others.map(({ name }) => `${name} (a view)`))
  const typesOnly = tables.length === 0 && rows.every(({ kind }) => kind === 'e')
  if (typesOnly) full.push(...rows.map(({ name }) => `${name} (a type)`))
  if (full.length > 0) {
    throw new Failure({
      code: 'OUTGROW_TARGET_NOT_EMPTY',
      message: `The target is not empty: it contains ${listed(full)}.`,
      why: 'The move fills an empty database, or the empty tables of this project’s own migrations. It never overwrites data.',
      fix: 'Pass a new database, or drop the objects named above yourself.',
    })
  }
  const missing = [...expected].filter(
    (name) => !tables.some((table) => `${table.schema}.${table.name}` === name),
  )
  if (missing.length > 0 && tables.some(({ name }) => name !== '_prisma_migrations')) {
    throw new Failure({
      code: 'OUTGROW_TARGET_NOT_EMPTY',
      message: `The target’s migrations do not match this schema: ${listed(missing)} is missing.`,
      fix: 'Apply the latest migrations (outgrow schema deploy), or pass an empty database.',
    })
  }
  if (tables.every(({ name }) => name === '_prisma_migrations')) {
    throw new Failure({
      code: 'OUTGROW_TARGET_NOT_EMPTY',
      message: 'The target has a migration history (_prisma_migrations) but no tables.',
      fix: 'Pass an empty database, or apply the migrations first (outgrow schema deploy).',
    })
  }
  return 'migrated'
}

function listed(names: string[]): string {
  return names.length > 12
    ? `${names.slice(0, 12).join(', ')} and ${names.length - 12} more`
    : names.join(', ')
}
