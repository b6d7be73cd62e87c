import { Command, Option } from 'commander'
import { Failure } from '@outgrow/kit'
import { knownRules, type MoveOptions } from '@outgrow/graduate'
import { pullSchema, readSchemaSource, schemaSourceOf, type SchemaSource } from '@outgrow/schema'

/** Options that every command of the move takes. */
export interface SharedOptions {
  from?: string
  schema: string
  fix: string[]
  onBadValue: 'stop' | 'quarantine'
  skipTable: string[]
  skipColumn: string[]
  cast: string[]
  workDir: string
  json?: boolean
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
    .option('--fix <rule>', 'let a rule settle bad values (repeatable; see docs/values.md)', collect, [])
    .addOption(
      new Option('--on-bad-value <what>', 'stop and change nothing, or set bad rows aside')
        .choices(['stop', 'quarantine'])
        .default('stop'),
    )
    .option('--skip-table <table>', 'leave a table behind (repeatable)', collect, [])
    .option('--skip-column <table.column>', 'leave a column behind (repeatable)', collect, [])
    .option('--cast <table.column=type>', 'give a column another Postgres type (repeatable)', collect, [])
    .option('--work-dir <folder>', 'where the embedded Postgres and files of runs live', '.outgrow')
    .option('--json', 'print one JSON document on stdout')
}

export function moveOptions(options: SharedOptions): MoveOptions {
  const rules = options.fix.flatMap((list) => list.split(',').map((rule) => rule.trim()))
  refuseUnknown(rules)
  return {
    rules: new Set(rules),
    onBadValue: options.onBadValue,
    skipTables: new Set(options.skipTable),
    skipColumns: new Set(options.skipColumn),
    casts: new Map(options.cast.map(castOf)),
  }
}

function refuseUnknown(rules: string[]): void {
  const unknown = rules.find((rule) => !(rule in knownRules))
  if (unknown === undefined) return
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `There is no rule named ${unknown}.`,
    fix: `Use one of ${Object.keys(knownRules).join(', ')}.`,
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
    message: `--cast ${text} is not of the form table.column=type.`,
    fix: 'For example --cast users.ip=inet',
  })
}

export function sourceOf({ from }: Pick<SharedOptions, 'from'>): string {
  const source = from ?? process.env.DATABASE_URL
  if (source !== undefined && source !== '') return source
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: 'There is no source.',
    fix: 'Pass --from file:./app.db, or set DATABASE_URL.',
  })
}

export function schemaOf(options: SharedOptions): SchemaSource {
  if (options.schema !== 'introspect') return readSchemaSource(options.schema)
  const { text } = pullSchema(sourceOf(options))
  return schemaSourceOf(text, options.workDir)
}
