import { Command } from 'commander'
import { blankGraduation, runRollback, type GraduationReport } from '@outgrow/graduate'
import { budgetOf, endsOf, requiredTarget, withEnds } from '../../graduate-options.ts'
import { sourceOf } from '../../move-options.ts'
import { runCommand } from '../../output/run.ts'
import { lagProgress, printPauses } from '../../render/graduate.ts'
import { readingProgress } from '../../render/progress.ts'

export const rollbackCommand = withEnds(new Command('rollback'))
  .summary('go back to the SQLite file, with everything written to Postgres since the switch')
  .option('--budget-ms <ms>', 'hold writes for no longer (default: 100 and five round trips)')
  .addHelpText(
    'after',
    '\nExamples:\n  outgrow graduate rollback --from file:./app.db\n\nExit status: 0 back, 2 not back (Postgres keeps the rows). Afterwards outgrow graduate goes forward again.',
  )
  .action((_: object, command: Command) => {
    const options = endsOf(command)
    const { budgetMs } = command.optsWithGlobals<{ budgetMs?: string }>()
    return runCommand<GraduationReport>(
      options.json ?? false,
      blankGraduation('graduate rollback'),
      async ({ terminal, signal }) => {
        const reading = readingProgress(terminal, 'Applying what Postgres has changed')
        const report = await runRollback({
          from: sourceOf(options),
          to: await requiredTarget(options.to),
          budgetMs: budgetOf(budgetMs),
          signal,
          progress: reading.progress,
          onLag: lagProgress(terminal),
        }).finally(reading.done)
        printPauses(terminal, report)
        return report
      },
    )
  })
