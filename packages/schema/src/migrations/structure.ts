import {
  describeSchemas,
  describeSqlite,
  grantKinds,
  missingItems,
  openSqliteReadonly,
  parseDatabaseUrl,
  traceRemover,
  withPostgres,
  withScratchDatabase,
  type DescribedItem,
  type ScratchOptions,
} from '@outgrow/databases'
import { runMigrations } from './run.ts'
import type { StoredMigration } from './history.ts'

/** What a database has and a history does not lead to, and the other way round. */
export interface StructureDifference {
  /** Promised by the migrations, and not there, or there in another form. */
  missing: DescribedItem[]
  /** There, and in no migration. */
  extra: DescribedItem[]
}

export const isSame = ({ missing, extra }: StructureDifference): boolean =>
  missing.length + extra.length === 0

/** Rights that no migration history says all of. */
const rights: ReadonlySet<string> = new Set(
  [...grantKinds].filter((kind) => kind !== 'policy' && kind !== 'row security'),
)

/** The structure of a live database: of every schema, with the functions, types and extensions that its tables may need. */
export async function structureOf(databaseUrl: string): Promise<DescribedItem[]> {
  const url = parseDatabaseUrl(databaseUrl)
  if (url.kind === 'sqlite') {
    using _ = traceRemover(url.path)
    const database = openSqliteReadonly(url.path)
    try {
      return describeSqlite(database)
    } finally {
      database.close()
    }
  }
  const items = await withPostgres(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^(pg_|_outgrow)' AND nspname <> 'information_schema'",
    )
    const names = rows.map(({ name }) => name)
    const tables = await describeSchemas(client, Object.fromEntries(names.map((name) => [name, name])))
    const { rows: others } = await client.query<DescribedItem>(othersSql, [names])
    return [...tables, ...others]
  })
  // Since version 18 NOT NULL is a constraint of its own; the column says it everywhere.
  return items.filter(
    ({ kind, definition }) =>
      !rights.has(kind) && !(kind === 'constraint' && definition.startsWith('NOT NULL')),
  )
}

const ownOf = (table: string, alias: string): string =>
  `NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = ${alias}.oid AND d.classid = '${table}'::regclass AND d.deptype = 'e')`

const othersSql = `
SELECT 'extension' AS kind, extname AS name, '' AS definition FROM pg_extension WHERE extname <> 'plpgsql'
UNION ALL
SELECT 'function', format('%s.%s(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), pg_get_functiondef(p.oid)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY($1) AND p.prokind IN ('f', 'p') AND ${ownOf('pg_proc', 'p')}
UNION ALL
SELECT 'domain', format('%s.%s', n.nspname, y.typname), concat_ws(' ', format_type(y.typbasetype, y.typtypmod), y.typnotnull::text, y.typdefault,
         (SELECT string_agg(pg_get_constraintdef(k.oid), ' ' ORDER BY k.conname) FROM pg_constraint k WHERE k.contypid = y.oid))
  FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace WHERE n.nspname = ANY($1) AND y.typtype = 'd' AND ${ownOf('pg_type', 'y')}
UNION ALL
SELECT 'type', format('%s.%s', n.nspname, c.relname), (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
         FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY($1) AND c.relkind = 'c' AND ${ownOf('pg_class', 'c')}`

/**
 * What a database has of the schemas that its migrations use, and of the one that its URL names: other applications may
 * live beside them.
 */
export function withinSchemas(
  items: DescribedItem[],
  promised: DescribedItem[],
  databaseUrl: string,
): DescribedItem[] {
  const url = parseDatabaseUrl(databaseUrl)
  if (url.kind === 'sqlite') return items
  const schemas = new Set([url.schema, ...promised.map(schemaOf)])
  const promisedExtensions = new Set(
    promised.filter(({ kind }) => kind === 'extension').map(({ name }) => name),
  )
  return items.filter((item) =>
    item.kind === 'extension' ? promisedExtensions.has(item.name) : schemas.has(schemaOf(item)),
  )
}

const schemaOf = ({ name }: DescribedItem): string => name.split('.')[0] ?? ''

/**
 * The structure that a history leads to, on an empty database.
 * @throws Failure OUTGROW_MIGRATION_FAILED
 */
export function structureAfter(
  databaseUrl: string,
  migrations: StoredMigration[],
  scratch: ScratchOptions,
): Promise<DescribedItem[]> {
  return onScratch(databaseUrl, scratch, async (url) => {
    await runMigrations(url, migrations)
    return structureOf(url)
  })
}

/** The same after each of the migrations. */
export function structuresAfterEach(
  databaseUrl: string,
  migrations: StoredMigration[],
  scratch: ScratchOptions,
): Promise<DescribedItem[][]> {
  return onScratch(databaseUrl, scratch, async (url) => {
    const structures: DescribedItem[][] = []
    for (const migration of migrations) {
      await runMigrations(url, [migration])
      structures.push(await structureOf(url))
    }
    return structures
  })
}

/** An empty database of the kind, and with the schema, of another. */
function onScratch<Result>(
  databaseUrl: string,
  scratch: ScratchOptions,
  use: (url: string) => Promise<Result>,
): Promise<Result> {
  const like = parseDatabaseUrl(databaseUrl)
  return withScratchDatabase(like.kind, scratch, (url) =>
    use(like.kind === 'sqlite' ? url : inSchema(url, like.schema)),
  )
}

function inSchema(databaseUrl: string, schema: string): string {
  const url = new URL(databaseUrl)
  url.searchParams.set('schema', schema)
  return url.href
}

export function difference(promised: DescribedItem[], found: DescribedItem[]): StructureDifference {
  const extra = missingItems(found, promised)
  const missing = missingItems(promised, found)
  const there = new Set(found.map(({ kind, name }) => `${kind} ${name}`))
  return {
    missing,
    // What has another form is one difference, not two.
    extra: extra.filter(
      ({ kind, name }) =>
        !missing.some((one) => one.kind === kind && one.name === name && there.has(`${kind} ${name}`)),
    ),
  }
}

/** One line a difference. */
export function differenceLines({ missing, extra }: StructureDifference): string[] {
  return [
    ...missing.map(({ kind, name, definition }) =>
      `missing or different: ${kind} ${name} ${definition}`.trim(),
    ),
    ...extra.map(({ kind, name, definition }) =>
      `not in any migration: ${kind} ${name} ${definition}`.trim(),
    ),
  ]
}
