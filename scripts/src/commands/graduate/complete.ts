import { Command } from 'commander'
import { blankGraduation, runComplete, type CompletionReport } from '@outgrow/graduate'
import { endsOf, requiredTarget, withEnds } from '../../graduate-options.ts'
import { sourceOf } from '../../move-options.ts'
import { runCommand } from '../../output/run.ts'
import { countProgress } from '../../render/progress.ts'

export const completeCommand = withEnds(new Command('complete'))
  .summary('end the way back: keep the old file as an archive, and say in its place where the rows are')
  .option('--leave-behind', 'although a process that has the file open cannot reach Postgres')
  .addHelpText(
    'after',
    '\nExamples:\n  outgrow graduate complete --from file:./app.db\n\nExit status: 0 completed, 2 not completed.',
  )
  .action((_: object, command: Command) => {
    const options = endsOf(command)
    const { leaveBehind } = command.optsWithGlobals<{ leaveBehind?: boolean }>()
    return runCommand<CompletionReport>(
      options.json ?? false,
      { ...blankGraduation('graduate complete'), archive: null },
      async ({ terminal, signal }) => {
        const report = await runComplete({
          from: sourceOf(options),
          to: await requiredTarget(options.to),
          leavesBehind: leaveBehind ?? false,
          signal,
          progress: countProgress(terminal, 'pages'),
        })
        terminal.line('Completed: there is no way back any more.')
        if (report.archive)
          terminal.line(`The old file is kept as ${report.archive.path} (sha256 ${report.archive.sha256}).`)
        return report
      },
    )
  })
