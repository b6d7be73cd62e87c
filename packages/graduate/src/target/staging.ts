import {
  describeSchemas,
  grantKinds,
  quoteIdentifier,
  type DescribedItem,
  type PostgresClient,
  type SourceTable,
} from '@outgrow/databases'
import type { MoveOptions } from '../options.ts'
import { planMove, type Plan, type StoragePair } from '../plan.ts'
import type { Finding, FixReport, TableReport } from '../report.ts'
import type { SourceObject } from '../source/objects.ts'
import { carryOver, type Carried } from '../structure/carry.ts'
import { readTargetTables } from './catalog.ts'
import { cloneTables } from './clone.ts'
import { putInPlace } from './put-in-place.ts'
import { requalify } from './requalify.ts'
import { ddlFailure } from './server-failure.ts'
import {
  addConstraint,
  dropConstraints,
  foreignLast,
  qualified,
  readConstraints,
  type Constraint,
} from './structure.ts'

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
  /** What was added for the file's sake, and what could not be. */
  carried: Carried
  /** What the target is to hold when the run is published. */
  promised: DescribedItem[]
  /** Columns as `schema.table.column` whose type `--cast` decides. */
  castColumns: string[]
  /** Statements that switch on again what was off for the load, in the run's names. */
  enable: string[]
  /** What the project's migrations made beside the tables and a dropped run takes along: extensions, publications. */
  created: string[]
  record: RunRecord
  /** What came of it, once it is published. */
  result?: { tables: TableReport[]; findings: Finding[]; fixes: FixReport[] }
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
  skipObjects: string[]
  casts: [string, string][]
  /** Checksum of the schema the run was planned with. */
  schema: string
}

export interface StagingRequest {
  home: string
  /** Further schemas that the Prisma schema names. */
  others: string[]
  ddl: string
  /** Whether the empty tables of the target's own migrations are there. */
  replaces: boolean
  /** Whether what the file has beyond the DDL may be added: the project has no migrations of its own for Postgres. */
  adds: boolean
  /** Whether the target is free to be published into. */
  rehearses: boolean
  tables: SourceTable[]
  objects: SourceObject[]
  storage: StoragePair
  options: MoveOptions
  record: RunRecord
}

/** The name of the schema in which `schema` is built. */
export function stagedName(run: string, home: string, schema: string | undefined): string {
  return schema === undefined || schema === home ? `_outgrow_${run}` : `_outgrow_${run}_${schema}`
}

/** What is built in the target before the first row, and what it was planned from. */
export interface Built {
  staging: Staging
  plan: Plan
}

/**
 * Makes the run's schemas with all tables, rehearses publishing them, and takes keys and indexes off for the load: all in
 * one transaction, which the caller ends. Whatever publishing would fail over fails here, before the first row.
 * @throws Refusal OUTGROW_SCHEMA_DRIFT; errors of the server as they are
 */
export async function buildStaging(client: PostgresClient, request: StagingRequest): Promise<Built> {
  const { home, others, replaces, options } = request
  const run = newRunId()
  const schemas = Object.fromEntries(
    [home, ...others].map((schema) => [schema, stagedName(run, home, schema)]),
  )
  const staged = Object.values(schemas)
  for (const schema of staged) await client.query(`CREATE SCHEMA ${quoteIdentifier(schema)}`)
  const before = await globalObjects(client)
  await setSearchPath(client, staged, home)
  if (replaces) {
    const constraints = await cloneTables(client, schemas)
    await setSearchPath(client, staged, home)
    for (const constraint of foreignLast(constraints)) await addConstraint(client, constraint)
  } else {
    try {
      await client.query(requalify(request.ddl, (schema) => schemas[schema] ?? schema))
    } catch (error) {
      throw ddlFailure(error)
    }
  }
  const plan = planMove(
    request.tables,
    request.storage,
    await readTargetTables(client, staged),
    (schema) => stagedName(run, home, schema),
    options,
  )
  const carried = await carryOver(client, {
    plan,
    objects: request.objects,
    schemas: staged,
    home: stagedName(run, home, undefined),
    adds: request.adds && !replaces,
    skipped: options.skipObjects,
    finalSql: (sql) => finalSql(sql, { home, schemas }),
  })
  const constraints = await readConstraints(client, staged)
  const staging: Staging = {
    run,
    home,
    schemas,
    replaces,
    constraints,
    carried,
    promised: [],
    castColumns: castColumnsOf(plan, schemas),
    enable: [],
    created: [],
    record: request.record,
  }
  staging.promised = (await promiseOf(client, staging)).filter(
    ({ kind, name }) => kind !== 'column' || !staging.castColumns.includes(name),
  )
  staging.created = minus(await globalObjects(client), before)
  await createRunTables(client, staging)
  if (request.rehearses) await rehearse(client, staging)
  await dropConstraints(client, constraints)
  staging.enable = await switchOff(client, staging)
  if (!replaces && !request.adds) await emptyTables(client, plan)
  await saveStaging(client, staging)
  return { staging, plan }
}

/** What the target is to hold in the end: what its own tables have now, or what the DDL has just made. */
async function promiseOf(client: PostgresClient, staging: Staging): Promise<DescribedItem[]> {
  if (staging.replaces) {
    const homes = Object.keys(staging.schemas)
    return describeSchemas(client, Object.fromEntries(homes.map((schema) => [schema, schema])))
  }
  await client.query('SAVEPOINT outgrow_promise')
  for (const view of staging.carried.views) await client.query(view)
  const items = await describeSchemas(client, namesOfStaged(staging))
  await client.query('ROLLBACK TO SAVEPOINT outgrow_promise')
  return items.filter(({ kind }) => !grantKinds.has(kind))
}

/** A column whose type was named with `--cast` is not what the DDL says. */
function castColumnsOf(plan: Plan, schemas: Record<string, string>): string[] {
  const homes = namesOfStaged({ schemas })
  return plan.tables.flatMap(({ target, columns }) =>
    columns
      .filter(({ castTo }) => castTo !== undefined)
      .map((column) => `${homes[target.schema]}.${target.name}.${column.target.name}`),
  )
}

/** Extensions and publications, as a DROP names them: they lie in no schema that could be dropped. */
async function globalObjects(client: PostgresClient): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT format('EXTENSION %I', extname) AS name FROM pg_extension UNION ALL SELECT format('PUBLICATION %I', pubname) FROM pg_publication",
  )
  return rows.map(({ name }) => name)
}

function minus(all: string[], others: string[]): string[] {
  return all.filter((one) => !others.includes(one))
}

/**
 * Triggers do not fire for rows that come as they are; and where everything is published, rows without a key could not be
 * changed. Returns what switches both back.
 */
async function switchOff(client: PostgresClient, { schemas }: Staging): Promise<string[]> {
  const { rows } = await client.query<{ off: string; on: string }>(
    `SELECT format('ALTER TABLE %I.%I DISABLE TRIGGER %I', n.nspname, c.relname, g.tgname) AS off,
            format('ALTER TABLE %I.%I %s TRIGGER %I', n.nspname, c.relname,
              CASE g.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE' END, g.tgname) AS on
       FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY($1) AND NOT g.tgisinternal AND g.tgenabled <> 'D'
     UNION ALL
     SELECT format('ALTER TABLE %I.%I REPLICA IDENTITY FULL', n.nspname, c.relname),
            format('ALTER TABLE %I.%I REPLICA IDENTITY DEFAULT', n.nspname, c.relname)
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY($1) AND c.relkind = 'r' AND c.relreplident = 'd'
        AND EXISTS (SELECT 1 FROM pg_publication WHERE puballtables)`,
    [Object.values(schemas)],
  )
  for (const { off } of rows) await client.query(off)
  return rows.map(({ on }) => on)
}

/** Rows that the project's migrations insert are in the file as well, as they are by now. */
async function emptyTables(client: PostgresClient, plan: Plan): Promise<void> {
  const tables = plan.tables.map(({ target }) => qualified(target))
  if (tables.length > 0) await client.query(`TRUNCATE ${tables.join(', ')}`)
}

/** Publishes the tables while they are empty, and takes that back. */
async function rehearse(client: PostgresClient, staging: Staging): Promise<void> {
  await client.query('SAVEPOINT outgrow_rehearsal')
  await putInPlace(client, staging, [])
  await client.query('ROLLBACK TO SAVEPOINT outgrow_rehearsal')
}

/** The schemas in which a run builds, to the names that they go by. */
function namesOfStaged({ schemas }: Pick<Staging, 'schemas'>): Record<string, string> {
  return Object.fromEntries(Object.entries(schemas).map(([schema, staged]) => [staged, schema]))
}

/** SQL that was run in the run's schemas, as it would be written for the target's own. */
export function finalSql(sql: string, staging: Pick<Staging, 'home' | 'schemas'>): string {
  let result = sql
  for (const [staged, name] of Object.entries(namesOfStaged(staging))) {
    result = result.replaceAll(
      `${quoteIdentifier(staged)}.`,
      name === staging.home ? '' : `${quoteIdentifier(name)}.`,
    )
  }
  return result
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
}

async function saveStaging(client: PostgresClient, staging: Staging): Promise<void> {
  const at = quoteIdentifier(stagedName(staging.run, staging.home, undefined))
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
  for (const created of staging.created) await client.query(`DROP ${created.replace(' ', ' IF EXISTS ')}`)
}

function newRunId(): string {
  const time = new Date().toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)
  return `${time}_${Math.random().toString(36).slice(2, 6).padEnd(4, '0')}`
}
