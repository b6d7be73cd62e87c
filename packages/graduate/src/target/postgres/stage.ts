import {
  describeSchemas,
  grantKinds,
  pipelined,
  quoteIdentifier,
  runStatements,
  type DescribedItem,
  type PostgresClient,
  type SourceTable,
} from '@outgrow/databases'
import type { MoveOptions } from '../../model/options.ts'
import { planMove, type Plan, type StoragePair } from '../../model/plan.ts'
import type { SourceObject } from '../../model/source-object.ts'
import { finalSql, namesOfStaged, stagedName, type RunRecord, type Staging } from '../../model/staging.ts'
import { carryOver } from './carry/carry.ts'
import { readTargetTables } from './catalog.ts'
import { cloneTables } from './clone.ts'
import { addConstraints, dropConstraints, qualified } from './constraints.ts'
import { filledTables } from './filled-tables.ts'
import { putInPlace } from './put-in-place.ts'
import { requalify } from './requalify.ts'
import { ddlFailure } from './server-failure.ts'

export interface StagingRequest {
  /** The run's name, where it has one already. */
  run?: string | undefined
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

/** What is built in the target before the first row, and what it was planned from. */
export interface Built {
  staging: Staging
  plan: Plan
}

/**
 * Makes the run's schemas with all tables, rehearses publishing them, and takes keys and indexes off for the load: all in
 * one transaction, which the caller ends. Whatever publishing would fail over fails here, before the first row. The caller records the run.
 * @throws Refusal OUTGROW_SCHEMA_DRIFT; errors of the server as they are
 */
export async function buildStaging(client: PostgresClient, request: StagingRequest): Promise<Built> {
  const { home, others, replaces, options } = request
  const { run = newRunId() } = request
  const schemas = Object.fromEntries(
    [home, ...others].map((schema) => [schema, stagedName(run, home, schema)]),
  )
  const staged = Object.values(schemas)
  const [, before] = await pipelined(client, () => [
    runStatements(
      client,
      staged.map((schema) => `CREATE SCHEMA ${quoteIdentifier(schema)}`),
    ),
    globalObjects(client),
    client.query(setSearchPath(staged, home)),
  ])
  if (replaces) {
    const constraints = await cloneTables(client, schemas)
    await client.query(setSearchPath(staged, home))
    await addConstraints(client, constraints)
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
  const { carried, constraints } = await carryOver(client, {
    plan,
    objects: request.objects,
    schemas: staged,
    home: stagedName(run, home, undefined),
    adds: request.adds && !replaces,
    skipped: options.skipObjects,
    finalSql: (sql) => finalSql(sql, { home, schemas }),
  })
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
  const [promised, after] = await pipelined(client, () => [promiseOf(client, staging), globalObjects(client)])
  staging.promised = promised.filter(
    ({ kind, name }) => kind !== 'column' || !staging.castColumns.includes(name),
  )
  staging.created = minus(after, before)
  if (request.rehearses) await rehearse(client, staging)
  const [, enable] = await pipelined(client, () => [
    dropConstraints(client, constraints),
    switchOff(client, staging),
  ])
  staging.enable = enable
  if (!replaces && !request.adds) await emptyTables(client, plan)
  return { staging, plan }
}

/** What the target is to hold in the end: what its own tables have now, or what the DDL has just made. */
async function promiseOf(client: PostgresClient, staging: Staging): Promise<DescribedItem[]> {
  if (staging.replaces) {
    const homes = Object.keys(staging.schemas)
    return describeSchemas(client, Object.fromEntries(homes.map((schema) => [schema, schema])))
  }
  const [, items] = await pipelined(client, () => [
    runStatements(client, ['SAVEPOINT outgrow_promise', ...staging.carried.views]),
    describeSchemas(client, namesOfStaged(staging)),
    client.query('ROLLBACK TO SAVEPOINT outgrow_promise'),
  ])
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

/** What is off while rows come as they are, and switched on again afterwards. */
export interface Switch {
  schema: string
  table: string
  off: string
  on: string
}

/**
 * Triggers do not fire for rows that come as they are; and where everything is published, rows without a key could not be
 * changed.
 */
export async function readSwitches(client: PostgresClient, schemas: string[]): Promise<Switch[]> {
  const { rows } = await client.query<Switch>(
    `SELECT n.nspname AS schema, c.relname AS table,
            format('ALTER TABLE %I.%I DISABLE TRIGGER %I', n.nspname, c.relname, g.tgname) AS off,
            format('ALTER TABLE %I.%I %s TRIGGER %I', n.nspname, c.relname,
              CASE g.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE' END, g.tgname) AS on
       FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY($1) AND NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgname NOT LIKE '\\_outgrow\\_%'
     UNION ALL
     SELECT n.nspname, c.relname, format('ALTER TABLE %I.%I REPLICA IDENTITY FULL', n.nspname, c.relname),
            format('ALTER TABLE %I.%I REPLICA IDENTITY DEFAULT', n.nspname, c.relname)
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = ANY($1) AND c.relkind = 'r' AND c.relreplident = 'd'
        AND EXISTS (SELECT 1 FROM pg_publication WHERE puballtables)`,
    [schemas],
  )
  return rows
}

/** Switches all of it off. Returns what switches it on again. */
export async function switchOff(client: PostgresClient, { schemas }: Staging): Promise<string[]> {
  const switches = await readSwitches(client, Object.values(schemas))
  await runStatements(
    client,
    switches.map(({ off }) => off),
  )
  return switches.map(({ on }) => on)
}

/** Rows that the project's migrations insert are in the file as well, as they are by now. */
async function emptyTables(client: PostgresClient, plan: Plan): Promise<void> {
  const tables = plan.tables.map(({ target }) => target)
  const filled = await filledTables(client, tables)
  if (filled.length > 0) await client.query(`TRUNCATE ${filled.map(qualified).join(', ')}`)
}

/** Publishes the tables while they are empty, and takes that back. */
async function rehearse(client: PostgresClient, staging: Staging): Promise<void> {
  await client.query('SAVEPOINT outgrow_rehearsal')
  await putInPlace(client, staging, [])
  await client.query('ROLLBACK TO SAVEPOINT outgrow_rehearsal')
}

/** Names in definitions are read without their schema when it is on the path. */
export function setSearchPath(staged: string[], home: string): string {
  const path = [...staged, home, 'public'].map(quoteIdentifier)
  return `SET search_path TO ${[...new Set(path)].join(', ')}`
}

/** A name for a run: its time, and what tells it from others of that second. */
export function newRunId(): string {
  const time = new Date().toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)
  return `${time}_${Math.random().toString(36).slice(2, 6).padEnd(4, '0')}`
}
