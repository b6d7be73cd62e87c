import { createHash, randomUUID } from 'node:crypto'
import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { StoredMigration } from '@outgrow/schema'
import { describeSchemas, missingItems, type DescribedItem } from './described.ts'
import { readDefaultGrants, readProperties } from './properties.ts'
import type { Staging } from './staging.ts'
import { qualified } from './structure.ts'

/**
 * Moves everything that was built into its place, within the caller's transaction, and holds what is there then against
 * what was promised.
 * @throws Failure OUTGROW_TARGET_CHANGED when the target got rows or tables meanwhile, OUTGROW_STRUCTURE_MISMATCH
 */
export async function putInPlace(
  client: PostgresClient,
  staging: Staging,
  baseline: StoredMigration[],
): Promise<void> {
  const homes = Object.keys(staging.schemas)
  for (const [target, staged] of Object.entries(staging.schemas)) {
    await createSchema(client, target)
    if (!staging.replaces) await refuseTaken(client, target, staged)
  }
  for (const view of staging.carried.views) await client.query(view)
  const { owners, rest } = staging.replaces
    ? await readProperties(client, homes)
    : { owners: [], rest: await readDefaultGrants(client, staging.schemas) }
  const counters = staging.replaces ? await dropEmptyTables(client, staging) : []
  for (const [target, staged] of Object.entries(staging.schemas)) await moveObjects(client, staged, target)
  for (const statement of owners) await client.query(statement)
  // A counter belongs to whom its table belongs.
  for (const { sequence, owner } of counters) {
    await client.query(`ALTER SEQUENCE ${sequence} OWNED BY ${owner}`)
  }
  for (const statement of rest) await client.query(statement)
  await compareWithPromise(client, staging)
  if (!staging.replaces && baseline.length > 0) await writeBaseline(client, staging.home, baseline)
}

/** CREATE SCHEMA IF NOT EXISTS wants the right to create one even where there is one. */
async function createSchema(client: PostgresClient, name: string): Promise<void> {
  const { rows } = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [name])
  if (rows.length === 0) await client.query(`CREATE SCHEMA ${quoteIdentifier(name)}`)
}

async function compareWithPromise(client: PostgresClient, { schemas, promised }: Staging): Promise<void> {
  const homes = Object.keys(schemas)
  const found = await describeSchemas(client, Object.fromEntries(homes.map((schema) => [schema, schema])))
  const missing = missingItems(promised, found)
  if (missing.length === 0) return
  throw new Failure({
    code: 'OUTGROW_STRUCTURE_MISMATCH',
    message: `The tables would not end as they are meant to: ${missing.slice(0, 8).map(itemText).join('; ')}${missing.length > 8 ? ` and ${missing.length - 8} more` : ''}.`,
    why: 'Keys, indexes, defaults, grants and the like are compared before anything is published. Nothing was.',
    fix: 'Move into an empty database, or take off what is named above and add it again afterwards.',
  })
}

function itemText({ kind, name, definition }: DescribedItem): string {
  return `${kind} ${name} (${definition})`
}

async function refuseTaken(client: PostgresClient, target: string, staged: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
        AND c.relname IN (SELECT x.relname FROM pg_class x JOIN pg_namespace y ON y.oid = x.relnamespace WHERE y.nspname = $2)`,
    [target, staged],
  )
  if (rows.length > 0) throw changed(rows.map(({ name }) => name))
}

/** The empty tables of the project's own migrations make room; counters that their copies use are kept. */
async function dropEmptyTables(
  client: PostgresClient,
  staging: Staging,
): Promise<{ sequence: string; owner: string }[]> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY($1) AND c.relkind = 'r' AND c.relname <> '_prisma_migrations' ORDER BY 1, 2`,
    [Object.keys(staging.schemas)],
  )
  const tables = rows.map(qualified).join(', ')
  await client.query(`LOCK TABLE ${tables} IN ACCESS EXCLUSIVE MODE`)
  for (const table of rows) {
    const some = await client.query(`SELECT 1 FROM ${qualified(table)} LIMIT 1`)
    if (some.rows.length > 0) throw changed([table.name])
  }
  const owned = await client.query<{ sequence: string; owner: string }>(
    `SELECT format('%I.%I', sn.nspname, s.relname) AS sequence, format('%I.%I.%I', n.nspname, c.relname, a.attname) AS owner
       FROM pg_depend d
       JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace sn ON sn.oid = s.relnamespace
       JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
      WHERE d.deptype = 'a' AND n.nspname = ANY($1)`,
    [Object.keys(staging.schemas)],
  )
  for (const { sequence } of owned.rows) await client.query(`ALTER SEQUENCE ${sequence} OWNED BY NONE`)
  await client.query(`DROP TABLE ${tables}`)
  return owned.rows
}

/** Tables bring their keys, indexes and owned counters; types, functions and the rest are moved by name. */
async function moveObjects(client: PostgresClient, staged: string, target: string): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(
    `SELECT statement FROM (
       SELECT 1 AS rank, format('ALTER TYPE %I.%I SET SCHEMA %I', n.nspname, t.typname, $2::text) AS statement
         FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE n.nspname = $1 AND t.typtype IN ('e', 'd') AND ${notOfExtension('t.oid')}
       UNION ALL
       SELECT 2, format('ALTER TABLE %I.%I SET SCHEMA %I', n.nspname, c.relname, $2::text)
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relname NOT LIKE '\\_outgrow\\_%'
          AND ${notOfExtension('c.oid')}
       UNION ALL
       SELECT 3, format('ALTER SEQUENCE %I.%I SET SCHEMA %I', n.nspname, c.relname, $2::text)
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relkind = 'S' AND c.relname NOT LIKE '\\_outgrow\\_%'
          AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i', 'e'))
       UNION ALL
       SELECT 4, format('ALTER ROUTINE %s SET SCHEMA %I', p.oid::regprocedure, $2::text)
         FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = $1 AND ${notOfExtension('p.oid')}
       UNION ALL
       SELECT 5, format('ALTER EXTENSION %I SET SCHEMA %I', e.extname, $2::text)
         FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE n.nspname = $1) x
      ORDER BY rank, statement`,
    [staged, target],
  )
  for (const { statement } of rows) await client.query(statement)
}

const notOfExtension = (oid: string) =>
  `NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = ${oid} AND d.deptype = 'e')`

/** The history as `prisma migrate resolve --applied` would write it. */
async function writeBaseline(
  client: PostgresClient,
  schema: string,
  baseline: StoredMigration[],
): Promise<void> {
  const table = qualified({ schema, name: '_prisma_migrations' })
  await client.query(
    `CREATE TABLE ${table} (
       id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
       migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
       started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`,
  )
  for (const { name, sql } of baseline) {
    await client.query(
      `INSERT INTO ${table} (id, checksum, migration_name, started_at, finished_at)
       VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp())`,
      [randomUUID(), createHash('sha256').update(sql).digest('hex'), name],
    )
  }
}

function changed(names: string[]): Failure {
  return new Failure({
    code: 'OUTGROW_TARGET_CHANGED',
    message: `While the move was running, the target got ${names.join(', ')}.`,
    why: 'Nothing was published.',
    fix: 'Empty the target and run the command again with --restart.',
  })
}
