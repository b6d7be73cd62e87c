import { relative } from 'node:path'
import { Command } from 'commander'
import { sqliteVersion } from '@outgrow/databases'
import {
  generateSchemas,
  proveOnPostgres,
  staleOutputs,
  writeGenerated,
  type SchemaFinding,
} from '@outgrow/schema'
import { exit } from '@outgrow/kit'
import type { Outcome } from '../output/outcome.ts'
import { runCommand } from '../output/run.ts'
import { count, type Terminal } from '../output/terminal.ts'
import { scratchOf, shadowOption } from './schema/shared.ts'

interface GenerateDocument extends Outcome {
  outputs: string[]
  findings: SchemaFinding[]
}

interface Options {
  schema: string
  out?: string
  check?: boolean
  keepLists?: boolean
  json?: boolean
  shadow?: string
}

export const generateCommand = new Command('generate')
  .summary('write the SQLite and the Postgres schema from one source')
  .description(
    'Reads a Prisma schema of any project, SQLite-first or Postgres-first, and writes sqlite/schema.prisma and postgres/schema.prisma beside it. Both are verified: Prisma accepts them, one client fits both, and SQLite creates the tables; with --check a real Postgres creates its tables too.',
  )
  .option('--schema <path>', 'schema file, or folder of .prisma files', 'prisma/schema.prisma')
  .option('--out <folder>', 'where sqlite/ and postgres/ go (default: beside the source)')
  .option('--check', 'write nothing; fail if the committed files differ from what would be written')
  .option(
    '--keep-lists',
    'keep scalar lists as arrays on Postgres, where the client types then differ; stored in the generated schemas',
  )
  .option('--no-keep-lists', 'make scalar lists Json again')
  .addOption(shadowOption())
  .option('--json', 'print one JSON document on stdout')
  .addHelpText(
    'after',
    `
Examples:
  outgrow generate
  outgrow generate --schema prisma/schema --out prisma/dialects
  outgrow generate --check --json

A comment above a line overrides it for one database:
  // outgrow:sqlite omit
  // outgrow:postgres balance Decimal @db.Money

Exit status: 0 written or up to date, 2 invalid or stale, 4 something was refused and nothing was written.`,
  )
  .action((options: Options) =>
    runCommand<GenerateDocument>(
      options.json ?? false,
      { command: 'generate', outputs: [], findings: [] },
      ({ terminal }) => generate(options, terminal),
    ),
  )

async function generate(options: Options, terminal: Terminal): Promise<GenerateDocument> {
  const generated = await generateSchemas({
    schema: options.schema,
    out: options.out,
    keepLists: options.keepLists,
  })
  const { findings, dialects } = generated
  const document = { command: 'generate', outputs: [] as string[], findings, error: null }
  printSchemaFindings(terminal, findings)
  if (!dialects.ok) {
    terminal.line('Nothing was written: see what was refused above.')
    return { ...document, ok: false, exitCode: exit.findings }
  }
  const paths = (absolute: string[]) => absolute.map((path) => relative(process.cwd(), path))
  if (options.check) {
    const version = await proveOnPostgres(generated, scratchOf(options))
    const stale = paths(staleOutputs(generated))
    if (stale.length === 0) {
      terminal.line(
        `Both schemas are up to date. ${sqliteVersion()} and PostgreSQL ${version} created their tables.`,
      )
      return { ...document, ok: true, exitCode: exit.done }
    }
    terminal.line(`Stale: ${stale.join(', ')}. Run outgrow generate and commit the result.`)
    const error = {
      code: 'OUTGROW_SCHEMA_STALE',
      message: `${stale.join(', ')} differs from what the source generates.`,
      why: null,
      fix: 'Run outgrow generate and commit the result.',
    }
    return { ...document, outputs: stale, ok: false, exitCode: exit.expected, error }
  }
  const written = paths(writeGenerated(generated))
  terminal.line(
    written.length === 0 ? 'Both schemas are already up to date.' : `Wrote ${written.join(' and ')}.`,
  )
  terminal.line(
    `Prisma accepts both, one client fits both, and ${sqliteVersion()} created its tables. The tables on Postgres were not tried: --check does that.`,
  )
  return {
    ...document,
    outputs: paths(generated.outputs.map(({ path }) => path)),
    ok: true,
    exitCode: exit.done,
  }
}

const placesShown = 5

/** One cause, one line, with its places. */
function printSchemaFindings(terminal: Terminal, findings: SchemaFinding[]): void {
  const groups = Map.groupBy(
    findings.filter(({ action }) => action !== 'copied'),
    ({ action, reason }) => `${action}: ${reason}`,
  )
  const refusedFirst = [...groups].toSorted(
    ([, a], [, b]) => Number(isRefused(b[0])) - Number(isRefused(a[0])),
  )
  for (const [reason, group] of refusedFirst) {
    const color = isRefused(group[0]) ? 'red' : 'cyan'
    const places = new Map(group.map((finding) => [placeOf(finding), finding.suggestion]))
    terminal.line(`${terminal.style(color, `${count(places.size)} ×`)} ${reason}`)
    const advice = new Set(group.map(({ suggestion }) => suggestion))
    for (const [place, suggestion] of [...places].slice(0, placesShown)) {
      terminal.line(`    ${place}`)
      // What to write instead is another line for each member.
      if (advice.size > 1 && isRefused(group[0]) && suggestion !== null) terminal.line(`      ${suggestion}`)
    }
    const more = places.size - placesShown
    if (more > 0) terminal.line(`    and ${count(more)} more; --json lists them all`)
    const { suggestion } = group[0] as SchemaFinding
    if (suggestion !== null && (advice.size === 1 || !isRefused(group[0]))) {
      terminal.line(`    ${suggestion.replaceAll('\n', '\n    ')}`)
    }
  }
}

/** What both sides treat alike stands on one line. */
function placeOf({ file, line, model, field, feature }: SchemaFinding): string {
  return `${file}:${line}  ${[model, field].filter((part) => part !== null).join('.')}  ${feature}`
}

const isRefused = (finding: SchemaFinding | undefined): boolean => finding?.action === 'refused'
