import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sampleSchema } from '@outgrow/sample'
import { diffDatamodels, readSchemaSource, schemaSourceOf, type SchemaSource } from '@outgrow/schema'
import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { isSpreadable, lintSource, type ScaleReport } from '../src/index.ts'
import { edges } from './scale/edges.ts'
import { tenancies, unclear } from './scale/schemas.ts'

const cases = [...tenancies, ...edges]

type Database = Awaited<ReturnType<typeof makeDatabase>>
let database: Database

beforeAll(async () => {
  database = await makeDatabase(inject('postgresUrl'))
})
afterAll(() => database.drop())

const own: [string, SchemaSource, string][] = [
  ['the sample', readSchemaSource(sampleSchema), 'Account'],
  ['the example', readSchemaSource(join(import.meta.dirname, '../../../prisma/schema')), 'Account'],
]

describe.each([
  ...own.map(([name, source, tenant]) => ({ name, source, tenant, named: undefined })),
  ...cases.map((one) => ({ ...one, source: schemaSourceOf(one.schema), named: one.named })),
])('$name', ({ source, tenant, named }) => {
  const report = lintSource(source, named)

  test('the tenant is found, and why is said', () => {
    expect(report.tenant.model).toBe(tenant)
    expect(report.tenant.why).toMatch(named === undefined ? /^Of the \d+ other models/ : /--tenant/)
  })

  test('with all changes made, Prisma accepts the schema, and the rules find nothing more to change', () => {
    expect(report.problem).toBeNull()
    const changed = lintSource(asPostgres(report), named ?? tenant)
    expect(changed.findings.filter(({ level }) => level === 'change')).toEqual([])
    expect(changed.tables.filter(({ place }) => place === 'tenant')).toEqual(
      expect.arrayContaining(report.tables.filter(({ place }) => place === 'tenant')),
    )
  })

  test('the tables that it makes keep the promises, by Postgres’ own catalogs', async () => {
    const ddl = await diffDatamodels('postgres', undefined, textOf(report))
    await database.query('DROP SCHEMA public CASCADE')
    await database.query('CREATE SCHEMA public')
    await database.query(ddl)
    const tenants = lintSource(asPostgres(report), named ?? tenant).spreading.flatMap(
      (sql) => /^SELECT create_distributed_table\('"(.+?)"', '(.+?)'/.exec(sql)?.slice(1, 3) ?? [],
    )
    const column = tenants[1] ?? ''
    const tables = tenants.filter((_, at) => at % 2 === 0)
    expect(await brokenPromises(tables, column)).toEqual([])
  })

  test('every finding names a line of the schema that is about it', () => {
    for (const { file, line, model, field, changes } of report.findings) {
      const lines = source.files.find(([path]) => path === file)?.[1].split('\n') ?? []
      expect(lines[line - 1]).toMatch(new RegExp(`\\b${field ?? model}\\b|@@(id|unique)`))
      const replaced = changes.filter(({ before }) => before !== null)
      expect(replaced.map((change) => lines[change.line - 1])).toEqual(
        replaced.map(({ before }) => before?.split('\n')[0]),
      )
    }
  })
})

test.each(cases)('$name: tables and rules', ({ schema, named, tenants, broken }) => {
  const report = lintSource(schemaSourceOf(schema), named)
  const placed = report.tables.filter(({ place }) => place === 'tenant').map(({ model }) => model)
  expect(placed.toSorted()).toEqual(tenants.toSorted())
  expect(report.rules.filter(({ state }) => state === 'broken').map(({ number }) => number)).toEqual(broken)
  expect(isSpreadable(report)).toBe(broken.length === 0)
})

test.each(Object.entries(unclear))('%s: the tenant is asked for', (_, schema) => {
  expect(() => lintSource(schemaSourceOf(schema))).toThrow(
    expect.objectContaining({ code: 'OUTGROW_TENANT_UNCLEAR' }) as Error,
  )
})

test.each(['Nobody', 'User.nothing', 'User.name', 'Vote', '', '.'])(
  'the tenant %j is refused: it is no key of a model',
  (named) => {
    expect(() => lintSource(readSchemaSource(sampleSchema), named)).toThrow(
      expect.objectContaining({ code: 'OUTGROW_TENANT_UNKNOWN' }) as Error,
    )
  },
)

test('a trigger that a migration makes on a tenant’s table is found, unless a later one drops it', () => {
  const folder = temporaryFolder()
  const [spread] = cases.filter(({ name }) => name.includes('spread already'))
  writeFileSync(join(folder, 'schema.prisma'), spread?.schema ?? '')
  const migrate = (name: string, sql: string) => {
    mkdirSync(join(folder, 'migrations', name), { recursive: true })
    writeFileSync(join(folder, 'migrations', name, 'migration.sql'), sql)
    return lintSource(readSchemaSource(join(folder, 'schema.prisma')))
  }
  const seven = (report: ScaleReport) => report.rules.find(({ number }) => number === 7)?.state
  expect(seven(lintSource(readSchemaSource(join(folder, 'schema.prisma'))))).toBe('unseen')
  expect(
    seven(
      migrate(
        '1_more',
        '-- CREATE TRIGGER not_one\nCREATE TRIGGER on_job AFTER INSERT ON "Job" FOR EACH ROW EXECUTE FUNCTION f();',
      ),
    ),
  ).toBe('kept')
  const report = migrate(
    '2_trigger',
    '\nCREATE OR REPLACE TRIGGER "on" AFTER UPDATE OF id ON public."Thing" FOR EACH ROW EXECUTE FUNCTION f();',
  )
  expect(seven(report)).toBe('broken')
  expect(report.findings).toMatchObject([
    { code: 'OUTGROW_SCALE_TRIGGER', line: 2, example: 'DROP TRIGGER "on" ON "Thing";' },
  ])
  expect(seven(migrate('3_dropped', 'DROP TRIGGER IF EXISTS "on" ON "public"."Thing";'))).toBe('kept')
})

test('a schema per tenant is unchanged where tenants share nothing, and refused where tables name their schema', () => {
  const of = (schema: string, named: string) =>
    lintSource(schemaSourceOf(schema), named).schemaPerTenant.serves
  const base = 'datasource db {\n  provider = "postgresql"\n  schemas = ["a"]\n}\n'
  const models = (schema: string) =>
    `model A {\n  id Int @id\n  bs B[]\n  ${schema}\n}\nmodel B {\n  id Int @id\n  aId Int\n  a A @relation(fields: [aId], references: [id])\n  ${schema}\n}\n`
  expect(of(base + models('@@schema("a")'), 'A')).toBe('no')
  expect(of(base.replace('  schemas = ["a"]\n', '') + models(''), 'A')).toBe('unchanged')
  expect(lintSource(readSchemaSource(sampleSchema)).schemaPerTenant.serves).toBe('shared')
})

test('nothing is called proved that has not run on a cluster', () => {
  expect(lintSource(readSchemaSource(sampleSchema)).proof).toBeNull()
})

function textOf({ schema }: ScaleReport): string {
  return schema
    .map(({ text }) => text)
    .join('\n')
    .replace('provider = "sqlite"', 'provider = "postgresql"')
}

const asPostgres = (report: ScaleReport): SchemaSource => schemaSourceOf(textOf(report), temporaryFolder())

/** What Citus refuses of tables that are spread by a column, as its documentation has it. */
async function brokenPromises(tables: string[], column: string): Promise<unknown[]> {
  const list = `ARRAY[${tables.map((table) => `'${table.replaceAll("'", "''")}'`).join(', ')}]::text[]`
  return database.query(
    `
    WITH spread AS (
      SELECT c.oid, c.relname, a.attnum, a.attnotnull, format_type(a.atttypid, a.atttypmod) AS type
      FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = $1
      WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY (${list}))
    SELECT relname, 'has no such column, or it may be NULL' AS broken FROM spread WHERE attnotnull IS NOT TRUE
    UNION ALL SELECT 'all', 'have columns of several types' FROM spread HAVING count(DISTINCT type) > 1
    UNION ALL SELECT 'all', 'are not there' FROM spread HAVING count(*) <> cardinality(${list})
    UNION ALL SELECT relname, 'has a key without it' FROM spread JOIN pg_index i ON i.indrelid = spread.oid
      WHERE i.indisunique AND NOT (spread.attnum = ANY (i.indkey::int2[]))
    UNION ALL SELECT spread.relname, 'refers to another without it: ' || f.conname
      FROM spread JOIN pg_constraint f ON f.conrelid = spread.oid AND f.contype = 'f' JOIN spread target ON target.oid = f.confrelid
      WHERE array_position(f.conkey, spread.attnum) IS DISTINCT FROM array_position(f.confkey, target.attnum)
        OR NOT (spread.attnum = ANY (f.conkey))
    UNION ALL SELECT spread.relname, 'has an action that moves a row: ' || f.conname
      FROM spread JOIN pg_constraint f ON f.conrelid = spread.oid AND f.contype = 'f'
      WHERE spread.attnum = ANY (f.conkey) AND (f.confupdtype NOT IN ('a', 'r') OR f.confdeltype IN ('n', 'd'))
    UNION ALL SELECT c.relname, 'is shared and refers to one: ' || f.conname
      FROM pg_constraint f JOIN spread ON spread.oid = f.confrelid JOIN pg_class c ON c.oid = f.conrelid
      WHERE f.contype = 'f' AND f.conrelid NOT IN (SELECT oid FROM spread)`,
    [column],
  )
}
