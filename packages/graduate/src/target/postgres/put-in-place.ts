import { createHash, randomUUID } from 'node:crypto'
import {
  describeSchemas,
  missingItems,
  pipelined,
  quoteIdentifier,
  runStatements,
  type DescribedItem,
  type PostgresClient,
} from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { StoredMigration } from '@outgrow/schema'
import type { Staging } from '../../model/staging.ts'
import { filledTables } from './filled-tables.ts'
import { readDefaultGrants, readProperties } from './properties.ts'
import { qualified } from './constraints.ts'

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
  await moveIntoPlace(client, staging)
  await assertPromisedStructure(client, staging)
  if (!staging.replaces && baseline.length > 0) await writeBaseline(client, staging.home, baseline)
}

/** Moves it, without looking at what came of it. */
export async function moveIntoPlace(client: PostgresClient, staging: Staging): Promise<void> {
  const homes = Object.keys(staging.schemas)
  await createSchemas(client, homes)
  if (!staging.replaces) await refuseTaken(client, staging.schemas)
  await runStatements(client, [...staging.enable, ...staging.carried.views])
  const { owners, rest } = staging.replaces
    ? await readProperties(client, homes)
    : { owners: [], rest: await readDefaultGrants(client, staging.schemas) }
  const counters = staging.replaces ? await dropEmptyTables(client, staging) : []
  for (const [target, staged] of Object.entries(staging.schemas)) await moveObjects(client, staged, target)
  // A counter belongs to whom its table belongs.
  const owned = counters.map(({ sequence, owner }) => `ALTER SEQUENCE ${sequence} OWNED BY ${owner}`)
  await runStatements(client, [...owners, ...owned, ...rest])
}

/** CREATE SCHEMA IF NOT EXISTS wants the right to create one even where there is one. */
async function createSchemas(client: PostgresClient, names: string[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT nspname AS name FROM pg_namespace WHERE nspname = ANY($1)',
    [names],
  )
  const missing = names.filter((name) => !rows.some((row) => row.name === name))
  await runStatements(
    client,
    missing.map((name) => `CREATE SCHEMA ${quoteIdentifier(name)}`),
  )
}

/**
 * @param compares leaves out what is not there yet
 * @throws Failure OUTGROW_STRUCTURE_MISMATCH
 */
export async function assertPromisedStructure(
  client: PostgresClient,
  { schemas, promised }: Staging,
  compares: (item: DescribedItem) => boolean = () => true,
): Promise<void> {
  const homes = Object.keys(schemas)
  const found = await describeSchemas(client, Object.fromEntries(homes.map((schema) => [schema, schema])))
  const missing = missingItems(promised.filter(compares), found)
  if (missing.length === 0) return
  throw new Failure({
    code: 'OUTGROW_STRUCTURE_MISMATCH',
    message: `The published tables would differ from the plan: ${missing.slice(0, 8).map(itemText).join('; ')}${missing.length > 8 ? ` and ${missing.length - 8} more` : ''}.`,
    why: 'Keys, indexes, defaults, grants and similar properties are compared before publishing. Nothing was published.',
    fix: 'Move into an empty database, or drop what is named above and add it again afterwards.',
  })
}

function itemText({ kind, name, definition }: DescribedItem): string {
  return `${kind} ${name} (${definition})`
}

async function refuseTaken(client: PostgresClient, schemas: Staging['schemas']): Promise<void> {
  const taken = await pipelined(client, () =>
    Object.entries(schemas).map((both) => client.query<{ name: string }>(takenSql, both)),
  )
  const names = taken.flatMap(({ rows }) => rows.map(({ name }) => name))
  if (names.length > 0) throw changed(names)
}

/** Names that both of two schemas have. */
const takenSql = `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
        AND c.relname IN (SELECT x.relname FROM pg_class x JOIN pg_namespace y ON y.oid = x.relnamespace WHERE y.nspname = $2)
     UNION
     SELECT t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
      WHERE n.nspname = $1 AND t.typtype IN ('e', 'd', 'c', 'r')
        AND t.typname IN (SELECT x.typname FROM pg_type x JOIN pg_namespace y ON y.oid = x.typnamespace WHERE y.nspname = $2 AND x.typtype IN ('e', 'd', 'c', 'r'))
     UNION
     SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname = $1 AND (p.proname, p.proargtypes) IN (
        SELECT x.proname, x.proargtypes FROM pg_proc x JOIN pg_namespace y ON y.oid = x.pronamespace WHERE y.nspname = $2)`

/** The empty tables of the project's own migrations make room; counters that their copies use are kept. */
async function dropEmptyTables(
  client: PostgresClient,
  staging: Staging,
): Promise<{ sequence: string; owner: string }[]> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY($1) AND c.relkind = 'r' AND c.relname <> '_prisma_migrations' AND ${notOfExtension('c.oid')} ORDER BY 1, 2`,
    [Object.keys(staging.schemas)],
  )
  const tables = rows.map(qualified).join(', ')
  await client.query(`LOCK TABLE ${tables} IN ACCESS EXCLUSIVE MODE`)
  await refuseChanged(client, staging)
  const filled = await filledTables(client, rows)
  if (filled.length > 0) throw changed(filled.map(({ name }) => name))
  const owned = await client.query<{ sequence: string; owner: string }>(
    `SELECT format('%I.%I', sn.nspname, s.relname) AS sequence, format('%I.%I.%I', n.nspname, c.relname, a.attname) AS owner
       FROM pg_depend d
       JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace sn ON sn.oid = s.relnamespace
       JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
      WHERE d.deptype = 'a' AND n.nspname = ANY($1)`,
    [Object.keys(staging.schemas)],
  )
  await runStatements(client, [
    ...owned.rows.map(({ sequence }) => `ALTER SEQUENCE ${sequence} OWNED BY NONE`),
    `DROP TABLE ${tables}`,
  ])
  return owned.rows
}

/** Nothing may have been added to the tables, or taken from them, since they were copied. */
async function refuseChanged(
  client: PostgresClient,
  { schemas, promised, castColumns }: Staging,
): Promise<void> {
  const homes = Object.keys(schemas)
  const now = await describeSchemas(client, Object.fromEntries(homes.map((schema) => [schema, schema])))
  const compared = now.filter(({ kind, name }) => kind !== 'column' || !castColumns.includes(name))
  const names = [...missingItems(compared, promised), ...missingItems(promised, compared)].map(
    ({ kind, name }) => `${kind} ${name}`,
  )
  if (names.length > 0) throw changed([...new Set(names)])
}

/**
 * Moves everything that the schema holds: tables bring their keys, indexes and owned counters along; types, functions,
 * collations and whatever else there is are moved by their own kind.
 */
export async function moveObjects(client: PostgresClient, staged: string, target: string): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(
    `SELECT format('ALTER %s %s SET SCHEMA %I', CASE i.type WHEN 'statistics object' THEN 'STATISTICS' ELSE upper(i.type) END, i.identity, $2::text) AS statement
       ${inSchema}
      ORDER BY CASE i.type WHEN 'collation' THEN 0 WHEN 'type' THEN 1 WHEN 'table' THEN 2 WHEN 'view' THEN 3 ELSE 4 END, i.identity`,
    [staged, target],
  )
  const [, left] = await pipelined(client, () => [
    runStatements(
      client,
      rows.map(({ statement }) => statement),
    ),
    client.query<{ name: string }>(`SELECT i.type || ' ' || i.identity AS name ${inSchema}`, [staged]),
  ])
  if (left.rows.length > 0) throw changed(left.rows.map(({ name }) => name))
}

/**
 * What depends on the schema itself; counters of tables and members of extensions go along with those, and what is the run's
 * own stays. A function's name is not its identity.
 */
const inSchema = `FROM pg_namespace n JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid AND d.deptype = 'n'
       CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) i
      WHERE n.nspname = $1 AND d.objsubid = 0 AND coalesce(i.name, '') NOT LIKE '\\_outgrow\\_%' AND d.classid <> 'pg_default_acl'::regclass
        AND NOT (d.classid = 'pg_proc'::regclass AND EXISTS (SELECT 1 FROM pg_proc p WHERE p.oid = d.objid AND p.proname LIKE '\\_outgrow\\_%'))
        AND NOT EXISTS (SELECT 1 FROM pg_depend x WHERE x.classid = d.classid AND x.objid = d.objid
                         AND (x.deptype IN ('i', 'e') OR (x.deptype = 'a' AND i.type = 'sequence')))`

const notOfExtension = (oid: string) =>
  `NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = ${oid} AND d.deptype = 'e')`

/** The history as `prisma migrate resolve --applied` would write it. */
export async function writeBaseline(
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
    message: `These objects in the target block publishing: ${names.join(', ')}.`,
    why: 'They were there before the move, or appeared during it. Nothing was published.',
    fix: 'Empty the target and run the command again with --restart.',
  })
}
