/**
 * `outgrow migrate` without its verification, which no command offers; the options are those of the command that matter
 * here. The target is in POSTGRES_URL.
 */
import { join } from 'node:path'
import { Command } from 'commander'
import { runMove, type Report } from '@outgrow/graduate'
import {
  givenTarget,
  runSettings,
  sourceOf,
  withSharedOptions,
  type SharedOptions,
} from 'outgrow/move-options'
import { blankReport } from 'outgrow/output/outcome'
import { runCommand, type CommandContext } from 'outgrow/output/run'
import 'outgrow/program' // starts with the same work as the command line
import { moveListener } from 'outgrow/render/move'

process.env.NODE_COMPILE_CACHE ??= join(
  import.meta.dirname,
  '../../scripts/node_modules/.cache/compiled', // as the command line does for its own processes
)

await withSharedOptions(new Command('unverified-move'))
  .action((options: SharedOptions) =>
    runCommand<Report>(options.json ?? false, blankReport('migrate'), (context) => move(options, context)),
  )
  .parseAsync()

async function move(options: SharedOptions, { terminal, signal }: CommandContext): Promise<Report> {
  const { done, ...listener } = moveListener(terminal)
  return runMove(
    {
      ...runSettings(options, sourceOf(options), signal),
      command: 'migrate',
      target: { url: (await givenTarget(undefined)) ?? '', made: undefined },
      rendered: undefined,
      writesHistory: true,
      unfinished: 'refuse',
      acceptQuarantine: false,
      verifies: false,
    },
    listener,
  ).finally(done)
}
