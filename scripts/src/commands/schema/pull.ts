import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Command } from 'commander'
import { refusedTypes } from '@outgrow/graduate'
import { exit, Failure } from '@outgrow/kit'
import { pullSchema, type UnsupportedObject } from '@outgrow/schema'
import { sourceOf } from '../../move-options.ts'
import type { Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { count } from '../../output/terminal.ts'

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
        const { text, models, unsaid } = pullSchema(sourceOf(options), refusedTypes)
        if (options.out === '-') terminal.line(text)
        else writeSchema(options.out, text, options.force ?? false)
        for (const one of unsaid) {
          terminal.line(
            `${terminal.style('yellow', one.kind)} ${one.table}.${one.name} is not in the schema:`,
          )
          terminal.line(`    ${one.sql.replaceAll(/\s+/g, ' ')}`)
        }
        terminal.line(`${count(models)} models${options.out === '-' ? '' : ` in ${options.out}`}.`)
        return Promise.resolve({
          command: 'schema pull',
          ok: true,
          exitCode: exit.done,
          output: options.out === '-' ? null : options.out,
          schema: text,
          unsaid,
          error: null,
        })
      },
    ),
  )

function writeSchema(path: string, text: string, force: boolean): void {
  const absolute = resolve(path)
  if (existsSync(absolute) && !force) {
    throw new Failure({
      code: 'OUTGROW_SCHEMA_EXISTS',
      message: `${path} already exists.`,
      fix: 'Pass another --out, or --force to overwrite it.',
    })
  }
  mkdirSync(dirname(absolute), { recursive: true })
  writeFileSync(absolute, text)
}
