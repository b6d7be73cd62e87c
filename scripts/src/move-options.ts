import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { sessionUrlOf, parsePostgresUrl, parseSqliteSource } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { refusedTypes, rules, type MoveOptions, type ReaderChoice, type RunSettings } from '@outgrow/graduate'
import { introspectSchema, readSchemaSource, schemaSourceOf, type SchemaSource } from '@outgrow/schema'

/** Options that every command of the move takes. */
export interface SharedOptions {
  from?: string
  schema: string
  fix: string[]
  onBadValue: 'stop' | 'quarantine'
  skipTable: string[]
  skipColumn: string[]
  skipObject: string[]
  cast: string[]
  workDir: string
  json?: boolean
}

/** That of the commands that copy rows. */
export interface ReaderOption {
  reader?: ReaderChoice
}

const collect = (value: string, before: string[]) => [...before, value]

/** Adds the shared options to a command. */
export function withSharedOptions(command: Command): Command {
  return command
    .option('--from <file>', 'SQLite file, as file: URL or path (default: DATABASE_URL)')
    .option(
      '--schema <path>',
      'Prisma schema file or folder, or "introspect" to read it from the source',
      'prisma/schema.prisma',
    )
    .option('--fix <rule>', 'apply a rule to bad values (repeatable; see docs/values.md)', collect, [])
    .addOption(
      new Option('--on-bad-value <what>', 'stop and change nothing, or quarantine bad rows')
        .choices(['stop', 'quarantine'])
        .default('stop'),
    )
    .option('--skip-table <table>', 'leave a table behind (repeatable)', collect, [])
    .option('--skip-column <table.column>', 'leave a column behind (repeatable)', collect, [])
    .option(
      '--skip-object <name>',
      'leave behind a view, trigger, index, check or default, by the name in its finding (repeatable)',
      collect,
      [],
    )
    .option('--cast <table.column=type>', 'give a column another Postgres type (repeatable)', collect, [])
    .option('--work-dir <folder>', 'where the embedded Postgres and the files of runs are kept', '.outgrow')
    .option('--json', 'print one JSON document on stdout')
}

/** Adds the choice of what reads the rows, for the commands that copy them. */
export function withReader(command: Command): Command {
  return command.addOption(
    new Option(
      '--reader <which>',
      'read rows from the file’s pages, or through SQLite’s driver (default: pages wherever the file stands still)',
    ).choices(['pages', 'driver']),
  )
}

/** What every run of the move is given. Rows that were transformed already keep the `decided` options of then. */
export function runSettings(
  options: SharedOptions,
  from: string,
  signal: AbortSignal,
  decided?: MoveOptions,
): RunSettings {
  let schema: SchemaSource | undefined
  return {
    from,
    // Read once: introspection tries every value of the file.
    readSchema: () => (schema ??= schemaOf({ ...options, from })),
    options: decided ?? moveOptions(options),
    workDir: options.workDir,
    signal,
  }
}

function moveOptions(options: SharedOptions): MoveOptions {
  const asked = options.fix.flatMap((list) => list.split(',').map((rule) => rule.trim()))
  refuseUnknown(asked)
  return {
    rules: new Set(asked),
    onBadValue: options.onBadValue,
    skipTables: new Set(options.skipTable),
    skipColumns: new Set(options.skipColumn),
    skipObjects: new Set(options.skipObject),
    casts: new Map(options.cast.map(castOf)),
  }
}

function refuseUnknown(asked: string[]): void {
  const known = rules.map(({ name }) => name)
  const unknown = asked.find((rule) => !known.includes(rule))
  if (unknown === undefined) return
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `There is no rule named ${unknown}.`,
    fix: `Use one of ${known.join(', ')}.`,
  })
}

function castOf(text: string): [string, string] {
  const [column, type] = [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]
  // The type becomes SQL: only a plain type name with a modifier is let through.
  if (column.includes('.') && /^[a-z_][a-z0-9_ ]*(\.[a-z_][a-z0-9_]*)?(\([\d, ]+\))?(\[\])?$/i.test(type)) {
    return [column, type]
  }
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `--cast ${text} does not have the form table.column=type.`,
    fix: 'For example --cast users.ip=inet',
  })
}

/** Path of the file to move. @throws Failure OUTGROW_OPTION_INVALID where none is named */
export function sourceOf({ from, schema }: Pick<SharedOptions, 'from'> & { schema?: string }): string {
  const source = from ?? process.env.DATABASE_URL
  if (source === undefined || source === '') {
    throw new Failure({
      code: 'OUTGROW_OPTION_INVALID',
      message: 'No source was given.',
      fix: 'Pass --from file:./app.db, or set DATABASE_URL.',
    })
  }
  const { path } = parseSqliteSource(source)
  if (existsSync(path) || schema === undefined || !existsSync(schema)) return path
  // Prisma up to 6 reads file: URLs from the schema's folder, Prisma 7 from the project's.
  const folder = statSync(schema).isDirectory() ? schema : dirname(schema)
  const beside = parseSqliteSource(source, resolve(folder)).path
  return existsSync(beside) ? beside : path
}

/**
 * URL of the Postgres that `--to` or POSTGRES_URL names, undefined where neither does. What is named is taken as it is; the
 * way to POSTGRES_URL past a pooler is DIRECT_URL.
 * @throws Failure OUTGROW_URL_INVALID, OUTGROW_DIRECT_URL_OTHER, OUTGROW_DIRECT_URL_UNCHECKED
 */
export async function givenTarget(to: string | undefined): Promise<string | undefined> {
  const given = to ?? process.env.POSTGRES_URL
  if (given === undefined || given === '') return undefined
  const { href } = parsePostgresUrl(given).url
  return to === undefined ? await sessionUrlOf(href) : href
}

/** The schema as it is now. */
export function schemaOf(options: SharedOptions): SchemaSource {
  if (options.schema !== 'introspect') return readSchemaSource(options.schema)
  const { text } = introspectSchema(sourceOf(options), refusedTypes)
  // A folder for each schema: its baseline must not be taken for another's, nor lie in the embedded cluster's folder.
  const name = createHash('sha256').update(text).digest('hex').slice(0, 12)
  return schemaSourceOf(text, resolve(options.workDir, 'introspected', name))
}
