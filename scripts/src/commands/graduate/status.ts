import { Command } from 'commander'
import { graduationStatus, type GraduationStatus } from '@outgrow/graduate'
import { endsOf, withEnds } from '../../graduate-options.ts'
import { givenTarget, sourceOf } from '../../move-options.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printGraduationStatus } from '../../render/graduate.ts'

export const statusCommand = withEnds(new Command('status'))
  .summary('where a graduation stands, and what stands in the way of the switch')
  .addHelpText(
    'after',
    '\nExamples:\n  outgrow graduate status --from file:./app.db\n  outgrow graduate status --json\n\nExit status: 0 nothing stands in the way, 2 cannot be read, 4 something does.',
  )
  .action((_: object, command: Command) => {
    const options = endsOf(command)
    return runCommand<Outcome & { graduation: GraduationStatus | null }>(
      options.json ?? false,
      { command: 'graduate status', graduation: null },
      async ({ terminal }) => {
        const [from, to] = [sourceOf(options), await givenTarget(options.to)]
        const graduation = await graduationStatus({ from, to })
        printGraduationStatus(terminal, graduation)
        return outcome('graduate status', { graduation }, graduation.obstacles.length === 0)
      },
    )
  })
