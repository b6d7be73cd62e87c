import { Command } from 'commander'
import { blankGraduation, graduationStatus, runCutover, type GraduationReport } from '@outgrow/graduate'
import { budgetOf, endsOf, requiredTarget, withEnds } from '../../graduate-options.ts'
import { sourceOf } from '../../move-options.ts'
import { runCommand } from '../../output/run.ts'
import { lagProgress, printGraduationStatus, printPauses } from '../../render/graduate.ts'

export const cutoverCommand = withEnds(new Command('cutover'))
  .summary('switch now')
  .option('--budget-ms <ms>', 'hold writes for no longer (default: 100 and three round trips)')
  .option('--leave-behind', 'switch although a process cannot reach the target')
  .option('--dry-run', 'only say what stands in the way')
  .addHelpText(
    'after',
    '\nExamples:\n  outgrow graduate cutover --dry-run\n  outgrow graduate cutover --budget-ms 200\n\nExit status: 0 switched, 2 not switched, 4 switched with findings.',
  )
  .action((_: object, command: Command) => {
    const options = endsOf(command)
    const own = command.optsWithGlobals<{ budgetMs?: string; leaveBehind?: boolean; dryRun?: boolean }>()
    return runCommand<GraduationReport>(
      options.json ?? false,
      blankGraduation('graduate cutover'),
      async ({ terminal, signal }) => {
        const [from, to] = [sourceOf(options), await requiredTarget(options.to)]
        if (own.dryRun) {
          const status = await graduationStatus({ from, to })
          printGraduationStatus(terminal, status)
          const ok = status.obstacles.length === 0
          return {
            ...blankGraduation('graduate cutover'),
            graduation: status.name,
            state: status.state,
            notes: status.obstacles,
            ok,
            exitCode: ok ? 0 : 4,
          }
        }
        const report = await runCutover({
          from,
          to,
          budgetMs: budgetOf(own.budgetMs),
          leavesBehind: own.leaveBehind ?? false,
          signal,
          progress: () => {},
          onLag: lagProgress(terminal),
        })
        printPauses(terminal, report)
        return report
      },
    )
  })
