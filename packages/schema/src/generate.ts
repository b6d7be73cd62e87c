import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { openSqliteInMemory } from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import type { SchemaFinding } from './dialects/finding.ts'
import { keepListsMark, renderDialects, type Dialects } from './dialects/dialects.ts'
import { readDmmf, type Dmmf } from './engine/prisma-wasm.ts'
import { diffDatamodels, loadSchemaEngine, type Provider } from './engine/schema-engine.ts'
import { madeByMigrations, type MadeElsewhere } from './made-by-migrations.ts'
import { dmmfDifferences } from './parity.ts'
import { generatedMark, readSchemaSource, type SchemaSource } from './source.ts'

export interface GenerateOptions {
  /** Schema file or folder. */
  schema: string
  /** Folder that gets `sqlite/schema.prisma` and `postgres/schema.prisma`; beside the source by default. */
  out?: string | undefined
  /** Undefined: as the generated schemas were made last. */
  keepLists?: boolean | undefined
  cwd?: string | undefined
}

export interface Generated {
  /** Absolute paths with their texts. */
  outputs: { provider: Provider; path: string; text: string }[]
  findings: SchemaFinding[]
  dialects: Dialects
  /** SQL that makes an empty database hold the schema. */
  ddl: Record<Provider, string>
  source: SchemaSource
  /** Views of the schema, and what its defaults call, that only the project's migrations make. */
  elsewhere: MadeElsewhere[]
}

/**
 * Renders both dialects and proves them: Prisma accepts both, their clients have the same types, SQLite executes its DDL.
 * When a feature is refused, `dialects.ok` is false and nothing has been proved. Writes nothing.
 * @throws Failure OUTGROW_SCHEMA_INVALID, OUTGROW_SCHEMA_PARITY, OUTGROW_SCHEMA_DDL
 */
export async function generateSchemas(options: GenerateOptions): Promise<Generated> {
  const source = readSchemaSource(options.schema, options.cwd)
  return proveDialects(source, options)
}

export async function proveDialects(
  source: SchemaSource,
  options: Omit<GenerateOptions, 'schema'> = {},
): Promise<Generated> {
  void loadSchemaEngine() // it is compiled while the dialects are rendered
  const home = options.out === undefined ? source.home : resolve(options.cwd ?? process.cwd(), options.out)
  const keepLists = options.keepLists ?? keptLists(home)
  const dialects = renderDialects(source, home, { keepLists })
  const outputs = (['sqlite', 'postgres'] as const).map((provider) => ({
    provider,
    path: join(home, provider, 'schema.prisma'),
    text: dialects[provider],
  }))
  const { items: elsewhere, findings: noted } = madeByMigrations(source)
  const findings = [...dialects.findings, ...noted]
  if (!dialects.ok)
    return { outputs, findings, dialects, ddl: { sqlite: '', postgres: '' }, source, elsewhere }
  proveParity(outputs, dialects, keepLists)
  const ddl = {
    sqlite: await diffDatamodels('sqlite', undefined, dialects.sqlite),
    postgres: await diffDatamodels('postgres', undefined, dialects.postgres),
  }
  proveOnSqlite(ddl.sqlite)
  return { outputs, findings, dialects, ddl, source, elsewhere }
}

/** Whether the schema beside the source was generated with lists kept. */
function keptLists(home: string): boolean {
  const path = join(home, 'postgres', 'schema.prisma')
  return existsSync(path) && (readFileSync(path, 'utf8').split('\n', 1)[0] ?? '').includes(keepListsMark)
}

/**
 * Writes what differs and returns the paths that changed.
 * @throws Failure OUTGROW_SCHEMA_NOT_OURS where a file stands in the way that was not generated
 */
export function writeGenerated(generated: Generated): string[] {
  const stale = staleOutputs(generated)
  for (const path of stale) {
    if (!existsSync(path) || readFileSync(path, 'utf8').startsWith(generatedMark)) continue
    throw new Failure({
      code: 'OUTGROW_SCHEMA_NOT_OURS',
      message: `${path} exists, and was not generated.`,
      why: 'It would be overwritten.',
      fix: 'Move it away, or pass --out with another folder.',
    })
  }
  for (const { path, text } of generated.outputs.filter((output) => stale.includes(output.path))) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  return stale
}

/** Paths whose file is missing or differs from what would be generated. */
export function staleOutputs(generated: Generated): string[] {
  return generated.outputs
    .filter(({ path, text }) => !existsSync(path) || readFileSync(path, 'utf8') !== text)
    .map(({ path }) => path)
}

/** @throws Failure OUTGROW_SCHEMA_RENDERED: Prisma took the source, and does not take what became of it */
function readRendered({ provider, text }: Generated['outputs'][number]): Dmmf {
  const name = `what the source becomes for ${provider === 'sqlite' ? 'SQLite' : 'Postgres'}`
  try {
    return readDmmf([[name, text]])
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new Failure({
      code: 'OUTGROW_SCHEMA_RENDERED',
      message: error.message,
      why: 'Prisma takes the source, but not its rendering: the lines above are of a file that was not written.',
      fix: `Write the member that is shown for that side in a comment on the line above it: // outgrow:${provider} …`,
      cause: error,
    })
  }
}

function proveParity(outputs: Generated['outputs'], dialects: Dialects, keepLists: boolean): void {
  const excused = new Set(
    dialects.findings
      .filter(
        ({ code }) => code === 'OUTGROW_SCHEMA_OVERRIDE' || (keepLists && code === 'OUTGROW_SCHEMA_LIST'),
      )
      .map(({ model, field }) => `${model}.${field}`),
  )
  const overridden = dialects.findings.some(
    ({ code, action }) => code === 'OUTGROW_SCHEMA_OVERRIDE' && action === 'rewritten',
  )
  const [sqlite, postgres] = outputs.map(readRendered) as [Dmmf, Dmmf]
  // An override that only leaves a field out is excused; one that rewrites a field must keep its type.
  const omitted = new Set(
    overridden
      ? dialects.findings
          .filter((finding) => finding.action === 'dropped' || finding.code === 'OUTGROW_SCHEMA_LIST')
          .map(({ model, field }) => `${model}.${field}`)
          .filter((key) => excused.has(key))
      : excused,
  )
  const differences = dmmfDifferences(sqlite, postgres, omitted)
  if (differences.length === 0) return
  throw new Failure({
    code: 'OUTGROW_SCHEMA_PARITY',
    message: `One client could not serve both databases: ${differences.slice(0, 5).join('; ')}.`,
    fix: 'Give the fields named above the same type in both // outgrow: comments.',
  })
}

function proveOnSqlite(ddl: string): void {
  const database = openSqliteInMemory()
  try {
    database.exec(ddl)
  } catch (cause) {
    throw new Failure({
      code: 'OUTGROW_SCHEMA_DDL',
      message: `SQLite refuses the generated tables: ${messageOf(cause)}`,
      fix: 'Write the member that SQLite does not take in a comment: // outgrow:sqlite …',
      cause,
    })
  } finally {
    database.close()
  }
}
