import { Option, type Command } from 'commander'
import type { Across } from '@outgrow/operations'
import { runSettings, type SharedOptions } from '../move-options.ts'
import type { CommandContext } from '../output/run.ts'
import { moveListener } from '../render/move.ts'

/** What a restore of one kind of database into the other is told. */
export type AcrossOptions = Pick<SharedOptions, 'schema' | 'fix' | 'onBadValue' | 'workDir'>

/** Adds the options of the move that a restore of one kind of database into the other is. */
export function withAcross(command: Command): Command {
  return command
    .option(
      '--schema <path>',
      'of a backup of SQLite that goes into Postgres: Prisma schema, or "introspect"',
      'prisma/schema.prisma',
    )
    .option('--fix <rule>', 'of such a move: apply a rule to bad values (repeatable)', collect, [])
    .addOption(
      new Option('--on-bad-value <what>', 'of such a move: stop and change nothing, or quarantine bad rows')
        .choices(['stop', 'quarantine'])
        .default('stop'),
    )
}

const collect = (value: string, before: string[]) => [...before, value]

/** The move, and what ends its display. */
export function acrossOf(
  options: AcrossOptions,
  { terminal, signal }: CommandContext,
): Across & { done: () => void } {
  let shown: ReturnType<typeof moveListener> | undefined
  const others = { skipTable: [], skipColumn: [], skipObject: [], cast: [] }
  return {
    settings: (file) => runSettings({ ...options, ...others }, file, signal),
    writesHistory: options.schema !== 'introspect',
    listener: () => (shown = moveListener(terminal)),
    done: () => shown?.done(),
  }
}
