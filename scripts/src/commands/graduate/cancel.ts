import { Command } from 'commander'
import { blankGraduation, runCancel, type GraduationReport } from '@outgrow/graduate'
import { endsOf, requiredTarget, withEnds } from '../../graduate-options.ts'
import { sourceOf } from '../../move-options.ts'
import { runCommand } from '../../output/run.ts'

export const cancelCommand = withEnds(new Command('cancel'))
  .summary('take a graduation back before its switch; the file and the target are as they were')
  .option('--target-gone', 'only set the file right: its target does not exist any more')
  .addHelpText('after', '\nExamples:\n  outgrow graduate cancel --from file:./app.db')
  .action((_: object, command: Command) => {
    const options = endsOf(command)
    const { targetGone = false } = command.optsWithGlobals<{ targetGone?: boolean }>()
    return runCommand<GraduationReport>(
      options.json ?? false,
      blankGraduation('graduate cancel'),
      async ({ terminal, signal }) => {
        const report = await runCancel({
          from: sourceOf(options),
          to: targetGone ? '' : await requiredTarget(options.to),
          isTargetGone: targetGone,
          workDir: options.workDir,
          signal,
        })
        terminal.line(
          report.graduation === null
            ? 'No graduation of this file is under way.'
            : `Took the graduation ${report.graduation} back. ${targetGone ? 'The file is as it was' : 'The file and the target are as they were'}.`,
        )
        return report
      },
    )
  })
