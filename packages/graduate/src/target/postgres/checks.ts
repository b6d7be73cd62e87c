import type { PostgresClient, PostgresUrl } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { filledTables } from './filled-tables.ts'

/**
 * Refuses a server into which rows could not be loaded right: another encoding, or a pooler that shares sessions.
 * @param clients two of its connections
 * @throws Failure OUTGROW_TARGET_ENCODING, OUTGROW_TARGET_POOLED
 */
export async function checkServer(
  [client, second]: [PostgresClient, PostgresClient],
  target: PostgresUrl,
): Promise<void> {
  const ask = async (one: PostgresClient) => {
    const { rows } = await one.query<{ encoding: string; pid: number }>(
      "SELECT current_setting('server_encoding') AS encoding, pg_backend_pid() AS pid",
    )
    return rows[0] as { encoding: string; pid: number }
  }
  const { encoding, pid } = await ask(client)
  if (encoding !== 'UTF8') {
    throw new Failure({
      code: 'OUTGROW_TARGET_ENCODING',
      message: `The target's encoding is ${encoding}.`,
      why: 'SQLite stores UTF-8; other encodings cannot represent every text.',
      fix: "Run CREATE DATABASE app ENCODING 'UTF8' TEMPLATE template0, and pass that database.",
    })
  }
  // A pooler gives both one session, or the second another one when it is asked again, by whichever rule it chooses them.
  const other = await ask(second)
  const again = await ask(second)
  const isPooled = other.pid === pid || other.pid !== again.pid
  if (!isPooled && target.url.searchParams.get('pgbouncer') !== 'true') return
  throw new Failure({
    code: 'OUTGROW_TARGET_POOLED',
    message: 'This URL points to a pooler that shares sessions between transactions.',
    why: 'A move needs its own sessions: settings and COPY must stay on one connection.',
    fix: 'Pass the direct URL (often another port or host name, such as DIRECT_URL) for the move; keep the pooled one for the application.',
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
