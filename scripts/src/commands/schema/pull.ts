import { Command } from 'commander'
import { refusedTypes } from '@outgrow/graduate'
import { pullSchema, writePulled, type UnsupportedObject } from '@outgrow/schema'
import { sourceOf } from '../../move-options.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printPulled } from '../../render/pulled-schema.ts'

export const pullCommand = new Command('pull')
  .summary('write a Prisma schema for an SQLite file that has none')
  .description(
    'Reads tables, keys and every stored value of an SQLite file, and writes a Prisma schema for moving it. What Prisma cannot express is listed with its SQL.',
  )
  .option('--from <file>', 'SQLite file, as file: URL or path (default: DATABASE_URL)')
  .option('--out <file>', 'where to write the schema; - for stdout', 'prisma/schema.prisma')
  .option('--force', 'overwrite an existing file')
  .option('--json', 'print one JSON document on stdout')
  .addHelpText('after', '\nExample:\n  outgrow schema pull --from old.db --out old/schema.prisma')
  .action((options: { from?: string; out: string; force?: boolean; json?: boolean }) =>
    runCommand<Outcome & { output: string | null; schema: string; unsaid: UnsupportedObject[] }>(
      options.json ?? false,
      { command: 'schema pull', output: null, schema: '', unsaid: [] },
      ({ terminal }) => {
        const pulled = pullSchema(sourceOf(options), refusedTypes)
        const output = options.out === '-' ? null : options.out
        if (output !== null) writePulled(output, pulled.text, options.force ?? false)
        printPulled(terminal, pulled, output)
        const { text: schema, unsaid } = pulled
        return Promise.resolve(outcome('schema pull', { output, schema, unsaid }))
      },
    ),
  )
