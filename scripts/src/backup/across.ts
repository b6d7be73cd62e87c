import { Option, type Command } from 'commander'
import { Failure } from '@outgrow/kit'
import type { Across } from '@outgrow/operations'
import { readSchemaSource } from '@outgrow/schema'
import { runSettings, type SharedOptions } from '../move-options.ts'
import type { CommandContext } from '../output/run.ts'
import { moveListener } from '../render/move.ts'
import { drillServer } from './options.ts'

/** What a restore of one kind of database into the other is told. */
export type AcrossOptions = Pick<
  SharedOptions,
  'schema' | 'fix' | 'onBadValue' | 'skipTable' | 'skipColumn' | 'skipObject' | 'workDir'
> & { server?: string }

/** Adds the options of the move that a restore of one kind of database into the other is. */
export function withAcross(command: Command): Command {
  return command
    .option(
      '--schema <path>',
      'where a backup goes into the other kind of database: Prisma schema, or "introspect" (from SQLite)',
      'prisma/schema.prisma',
    )
    .option('--fix <rule>', 'of such a move: apply a rule to bad values (repeatable)', collect, [])
    .addOption(
      new Option('--on-bad-value <what>', 'of such a move: stop and change nothing, or quarantine bad rows')
        .choices(['stop', 'quarantine'])
        .default('stop'),
    )
    .option('--skip-table <table>', 'of such a move: leave a table behind (repeatable)', collect, [])
    .option('--skip-column <table.column>', 'of such a move: leave a column behind (repeatable)', collect, [])
    .option(
      '--skip-object <name>',
      'of such a move: leave behind what a finding names (repeatable)',
      collect,
      [],
    )
    .option(
      '--server <url>',
      'Postgres for a scratch database on the way into a file (default: OUTGROW_DRILL_SERVER, else the embedded PostgreSQL)',
    )
}

const collect = (value: string, before: string[]) => [...before, value]

/** The move, and what ends its display. */
export function acrossOf(
  options: AcrossOptions,
  { terminal, signal }: CommandContext,
): Across & { done: () => void } {
  let shown: ReturnType<typeof moveListener> | undefined
  return {
    settings: (file) => runSettings({ ...options, cast: [] }, file, signal),
    fileSchema: () => {
      if (options.schema === 'introspect') throw notIntrospected()
      return readSchemaSource(options.schema)
    },
    skip: {
      skipTables: new Set(options.skipTable),
      skipColumns: new Set(options.skipColumn),
      skipObjects: new Set(options.skipObject),
    },
    server: drillServer(options.server),
    writesHistory: options.schema !== 'introspect',
    listener: () => (shown = moveListener(terminal)),
    done: () => shown?.done(),
  }
}

function notIntrospected(): Failure {
  return new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: '--schema introspect reads a schema from an SQLite file, and this is a backup of Postgres.',
    fix: 'Pass --schema with the Prisma schema that the file is to have.',
  })
}
