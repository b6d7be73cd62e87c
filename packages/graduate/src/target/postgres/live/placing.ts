import { quoteIdentifier, runStatements, type PostgresClient } from '@outgrow/databases'
import type { FollowedTable } from '../../../model/change.ts'
import type { Constraint } from '../../../model/table.ts'
import { namesOfStaged, type Staging } from '../../../model/staging.ts'
import { addConstraints, declareConstraints, qualified } from '../constraints.ts'
import { assertPromisedStructure, moveIntoPlace, moveObjects } from '../put-in-place.ts'
import { requalify } from '../requalify.ts'
import { switchOff } from '../stage.ts'

/**
 * Declares the foreign keys and moves everything that was built into its place, within the caller's transaction, and holds
 * what is there then against what was promised. Nobody else knows of the tables: it takes no lock that anybody waits for.
 * @param enable what switches triggers on again; undefined where the tables were never in place: what is done once, such
 *   as making views, is part of it then
 * @throws Failure OUTGROW_TARGET_CHANGED, OUTGROW_STRUCTURE_MISMATCH
 */
export async function placeTables(
  client: PostgresClient,
  staging: Staging,
  enable: string[] | undefined,
): Promise<void> {
  await declareConstraints(client, foreignKeysOf(staging))
  if (enable === undefined) await moveIntoPlace(client, staging)
  else {
    await runStatements(client, [...new Set([...staging.enable, ...enable])])
    for (const [home, staged] of Object.entries(staging.schemas)) await moveObjects(client, staged, home)
  }
  // Foreign keys are not checked against the rows yet, which they say.
  await assertPromisedStructure(client, staging, ({ definition }) => !definition.startsWith('FOREIGN KEY'))
}

export function foreignKeysOf({ constraints }: Staging): Constraint[] {
  return constraints.filter(({ kind }) => kind === 'foreign')
}

/**
 * SQL of the way back: everything that the switch had put in place, and views that somebody has made over it since, goes
 * to the run's schemas, where no application finds it. It is not rehearsed, since that would hold the application up.
 */
export async function withdrawingSql(client: PostgresClient, staging: Staging): Promise<string[]> {
  const statements: string[] = []
  for (const [staged, home] of Object.entries(namesOfStaged(staging))) {
    const { rows } = await client.query<{ statement: string }>(withdrawSql, [
      home,
      staged,
      placedNames(staging, home),
    ])
    statements.push(...rows.map(({ statement }) => statement))
  }
  return statements
}

/** Foreign keys stand only where the application does: changes of the other side come in an order of their own. */
export function dropForeignSql(staging: Staging): string[] {
  return foreignKeysOf(staging).map(
    ({ schema, table, name }) =>
      `ALTER TABLE IF EXISTS ${quoteIdentifier(schema)}.${quoteIdentifier(table)} DROP CONSTRAINT IF EXISTS ${quoteIdentifier(name)}`,
  )
}

/** The constraints by the names of the schemas in which they are once the tables are in place. */
export function inPlace(constraints: Constraint[], staging: Staging): Constraint[] {
  const homes = namesOfStaged(staging)
  const named = (schema: string) => homes[schema] ?? schema
  return constraints.map((one) => ({
    ...one,
    schema: named(one.schema),
    definition: one.definition && requalify(one.definition, named),
    parent: one.parent && { ...one.parent, schema: named(one.parent.schema) },
  }))
}

/** Names of what the run has built for a schema: tables, and whatever its own DDL made beside them. */
function placedNames({ promised, replaces }: Staging, home: string): string[] {
  const prefix = `${home}.`
  return [
    // A target that had migrations keeps their history.
    ...(replaces ? [] : ['_prisma_migrations']),
    ...promised
      .filter(({ kind }) => ['table', 'enum', 'view', 'sequence'].includes(kind))
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ name }) => name.slice(prefix.length)),
  ]
}

/** What lies in a schema and is one of the named objects, or a view over one. */
const withdrawSql = `
WITH RECURSIVE named AS (
  SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = ANY($3) AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
), over AS (
  SELECT oid FROM named
  UNION
  SELECT w.ev_class FROM over o JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = o.oid AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite w ON w.oid = d.objid WHERE w.ev_class <> o.oid
)
SELECT format('ALTER %s %s SET SCHEMA %I', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass, $2::text) AS statement
  FROM (SELECT DISTINCT oid FROM over) o JOIN pg_class c ON c.oid = o.oid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = $1
   AND NOT (c.relkind = 'S' AND EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')))
UNION ALL
SELECT format('ALTER TYPE %I.%I SET SCHEMA %I', n.nspname, t.typname, $2::text)
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = $1 AND t.typtype = 'e' AND t.typname = ANY($3)`

/**
 * Takes a switch back that the file never made: nobody has found the tables yet.
 * @param record keeps what switches triggers on again, in the same transaction
 */
export async function withdrawCut(
  client: PostgresClient,
  staging: Staging,
  record: (enable: string[]) => Promise<void>,
): Promise<void> {
  await client.query('BEGIN')
  try {
    await runStatements(client, [...(await withdrawingSql(client, staging)), ...dropForeignSql(staging)])
    await record(await switchOff(client, staging))
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}) // the connection may be gone, which the error says
    throw error
  }
}

/**
 * A target that had empty tables of its own migrations gets them back, empty and as they are by now, within the caller's
 * transaction: those that it had made room when the built ones were put in place for the first time.
 * @param tables in the run's schemas, where nothing logs their changes any more
 */
export async function giveBackEmpty(
  client: PostgresClient,
  staging: Staging,
  { tables, enable }: { tables: readonly FollowedTable[]; enable: string[] },
): Promise<void> {
  const names = tables.map(({ planned }) => qualified(planned.target))
  await runStatements(client, [
    ...dropForeignSql(staging),
    ...(names.length > 0 ? [`TRUNCATE ${names.join(', ')} RESTART IDENTITY`] : []),
  ])
  await placeTables(client, staging, enable)
  await addConstraints(client, inPlace(foreignKeysOf(staging), staging))
}
