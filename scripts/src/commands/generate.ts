import { Command } from 'commander'
import { generateSchemas, writeOrCheck } from '@outgrow/schema'
import { runCommand } from '../output/run.ts'
import {
  documentOf,
  printGeneration,
  printSchemaFindings,
  type GenerateDocument,
} from '../render/generation.ts'
import { scratchOf, shadowOption, type ShadowOptions } from './schema/shared.ts'

type Written = { schema: string; out?: string; check?: boolean; keepLists?: boolean }
type Options = ShadowOptions & Written & { json?: boolean }

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
      async ({ terminal }) => {
        const { schema, out, keepLists, check } = options
        const generated = await generateSchemas({ schema, out, keepLists })
        printSchemaFindings(terminal, generated.findings)
        const generation = await writeOrCheck(generated, check ? scratchOf(options) : undefined)
        printGeneration(terminal, generation)
        return documentOf(generation, generated.findings)
      },
    ),
  )
