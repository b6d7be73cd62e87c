import { quoteIdentifier, type PostgresClient } from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import type { Constraint } from './structure.ts'
import { dropConstraints, readConstraints } from './structure.ts'
import { requalify } from './requalify.ts'
import { cloneTables } from './clone.ts'

/** The schemas in which one run builds, and what it must know to go on after a stop. */
export interface Staging {
  run: string
  /** The user's default schema. */
  home: string
  /** Schema of the target to schema in which its tables are built. */
  schemas: Record<string, string>
  /** True when the target had empty tables of its own migrations, which the built ones replace. */
  replaces: boolean
  constraints: Constraint[]
  /** Types that columns get after the load, for types that are loaded as text. */
  record: RunRecord
}

/** What the run was told and what it read, kept in the target until the end and after it, for `verify`. */
export interface RunRecord {
  version: 1
  source: string
  fingerprint: string
  startedAt: string
  rules: string[]
  onBadValue: 'stop' | 'quarantine'
  skipTables: string[]
  skipColumns: string[]
  casts: [string, string][]
  /** Checksum of the schema the run was planned with. */
  schema: string
}

export interface StagingRequest {
  home: string
  /** Further schemas that the Prisma schema names. */
  others: string[]
  ddl: string
  replaces: boolean
  record: RunRecord
}

/** The name of the schema in which `schema` is built. */
export function stagedName(run: string, home: string, schema: string | undefined): string {
  return schema === undefined || schema === home ? `_outgrow_${run}` : `_outgrow_${run}_${schema}`
}

/**
 * Makes the run's schemas with all tables and without keys, in one transaction.
 * @throws Failure OUTGROW_TARGET_PRIVILEGES, OUTGROW_SCHEMA_DDL
 */
export async function createStaging(client: PostgresClient, request: StagingRequest): Promise<Staging> {
  const run = newRunId()
  const schemas = Object.fromEntries(
    [request.home, ...request.others].map((schema) => [schema, stagedName(run, request.home, schema)]),
  )
  const staged = Object.values(schemas)
  await client.query('BEGIN')
  try {
    for (const schema of staged) await client.query(`CREATE SCHEMA ${quoteIdentifier(schema)}`)
    await setSearchPath(client, staged, request.home)
    let constraints: Constraint[]
    if (request.replaces) constraints = await cloneTables(client, schemas)
    else {
      await client.query(requalify(request.ddl, (schema) => schemas[schema] ?? schema))
      constraints = await readConstraints(client, staged)
      await dropConstraints(client, constraints)
    }
    const staging: Staging = {
      run,
      home: request.home,
      schemas,
      replaces: request.replaces,
      constraints,
      record: request.record,
    }
    await createRunTables(client, staging)
    await client.query('COMMIT')
    return staging
  } catch (cause) {
    await client.query('ROLLBACK')
    throw stagingFailure(cause, client.user)
  }
}

/** Names in definitions are read without their schema when it is on the path. */
export async function setSearchPath(client: PostgresClient, staged: string[], home: string): Promise<void> {
  const path = [...staged, home, 'public'].map(quoteIdentifier)
  await client.query(`SET search_path TO ${[...new Set(path)].join(', ')}`)
}

async function createRunTables(client: PostgresClient, staging: Staging): Promise<void> {
  const at = quoteIdentifier(stagedName(staging.run, staging.home, undefined))
  await client.query(`
    CREATE TABLE ${at}._outgrow_run (id text PRIMARY KEY, status text NOT NULL, staging json NOT NULL);
    CREATE TABLE ${at}._outgrow_chunk (
      table_name text NOT NULL, low text NOT NULL, rows int8 NOT NULL, hash_sum numeric NOT NULL, bytes int8 NOT NULL,
      quarantined int8 NOT NULL, findings json NOT NULL, fixes json NOT NULL, PRIMARY KEY (table_name, low));
    CREATE TABLE ${at}._outgrow_adjustment (
      table_name text NOT NULL, column_name text NOT NULL, rule text NOT NULL, changed int8 NOT NULL,
      rows int8 NOT NULL, hash_sum numeric NOT NULL, keys json NOT NULL);
    CREATE TABLE ${at}._outgrow_quarantine (
      id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, table_name text NOT NULL, key json NOT NULL,
      column_name text, reason text NOT NULL, row json NOT NULL)`)
  await client.query(`INSERT INTO ${at}._outgrow_run VALUES ($1, 'building', $2)`, [
    staging.run,
    JSON.stringify(staging),
  ])
}

/** Runs of this product in the database, newest first. */
export async function findRuns(client: PostgresClient): Promise<{ status: string; staging: Staging }[]> {
  const { rows } = await client.query<{ schema: string }>(
    `SELECT n.nspname AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relname = '_outgrow_run' AND n.nspname LIKE '\\_outgrow\\_%' AND has_schema_privilege(n.oid, 'USAGE')
      ORDER BY n.nspname DESC`,
  )
  const runs: { status: string; staging: Staging }[] = []
  for (const { schema } of rows) {
    const found = await client.query<{ status: string; staging: Staging }>(
      `SELECT status, staging FROM ${quoteIdentifier(schema)}._outgrow_run`,
    )
    runs.push(...found.rows)
  }
  return runs
}

/** Takes a run back: the target is as it was before it. */
export async function dropStaging(client: PostgresClient, staging: Staging): Promise<void> {
  const schemas = Object.values(staging.schemas).map(quoteIdentifier)
  await client.query(`DROP SCHEMA IF EXISTS ${schemas.join(', ')} CASCADE`)
}

function newRunId(): string {
  const time = new Date().toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)
  return `${time}_${Math.random().toString(36).slice(2, 6).padEnd(4, '0')}`
}

function stagingFailure(cause: unknown, user: string | undefined): unknown {
  if (cause instanceof Failure) return cause
  const code = (cause as { code?: string }).code
  if (code === '42501') {
    return new Failure({
      code: 'OUTGROW_TARGET_PRIVILEGES',
      message: `The role ${user ?? ''} may not build in this database: ${messageOf(cause)}.`,
      why: 'The move builds in a schema of its own and publishes it in one transaction.',
      fix: `Run as the owner: GRANT CREATE ON DATABASE <database> TO ${quoteIdentifier(user ?? 'role')}; GRANT CREATE, USAGE ON SCHEMA public TO ${quoteIdentifier(user ?? 'role')};`,
      cause,
    })
  }
  if (code === undefined || !/^[0-9A-Z]{5}$/.test(code)) return cause
  const type = /type "(citext|hstore|ltree|vector|geometry|geography)" does not exist/.exec(
    messageOf(cause),
  )?.[1]
  return new Failure({
    code: 'OUTGROW_SCHEMA_DDL',
    message: `Postgres refuses the tables: ${messageOf(cause)}`,
    fix:
      type === undefined
        ? 'Correct the schema or the migration that makes this object, and run the command again.'
        : `It comes with an extension: run CREATE EXTENSION ${type.startsWith('geo') ? 'postgis' : type} in the target first.`,
    cause,
  })
}
