import { Command } from 'commander'
import { blankGraduation, type GraduationReport } from '@outgrow/graduate'
import type { GraduateOptions } from '../graduate-options.ts'
import { withReader, withSharedOptions } from '../move-options.ts'
import { runCommand } from '../output/run.ts'
import { refusingUnread } from '../refuse-unread.ts'
import { stoppedGraduation } from '../render/graduate.ts'
import { startGraduation } from '../start-graduation.ts'
import { cancelCommand } from './graduate/cancel.ts'
import { completeCommand } from './graduate/complete.ts'
import { cutoverCommand } from './graduate/cutover.ts'
import { rollbackCommand } from './graduate/rollback.ts'
import { statusCommand } from './graduate/status.ts'

export const graduateCommand = refusingUnread(withReader(withSharedOptions(new Command('graduate'))))
  .summary('move a running application to Postgres without stopping it')
  .description(
    'Copies the file while the application writes to it, follows its changes, compares every row, and switches: writes are held for a moment (100 ms by default), and whoever uses @outgrow/client goes on in Postgres by itself. It can be stopped at any time and goes on where it was.',
  )
  .option('--to <url>', 'Postgres URL (default: POSTGRES_URL)')
  .option('--cutover <when>', 'switch by itself (auto), or when told to (manual)', 'manual')
  .option('--at <time>', 'switch at this time, such as 2026-12-01T03:00:00Z')
  .option('--budget-ms <ms>', 'hold writes for no longer (default: 100 and three round trips)')
  .option('--rehearse [times]', 'do everything but the switch, say what it would cost, and take it back')
  .option('--max-log <changes>', 'stop capturing when so many changes wait to be applied')
  .option('--stop-writes', 'hold writes for as long as the switch takes')
  .option('--leave-behind', 'switch although a process cannot reach the target')
  .option('--on-cutover <command>', 'run right after the switch, for an application that does not follow')
  .option('--on-cutover-seconds <seconds>', 'how long that may take', '60')
  .option('--baseline', 'write _prisma_migrations for an introspected schema too')
  .addHelpText(
    'after',
    `
Examples:
  export POSTGRES_URL='postgresql://app:secret@db.example.com/app'
  outgrow graduate --from file:./app.db --rehearse 3     what would it cost?
  outgrow graduate --from file:./app.db                  copies, follows, waits
  outgrow graduate cutover --from file:./app.db          in another terminal: switch
  outgrow graduate status --from file:./app.db --json
  outgrow graduate --from file:./app.db --cutover auto --on-cutover 'systemctl restart shop'

Exit status: 0 done, 2 expected failure, 3 stopped (run it again to go on), 4 done with findings.`,
  )
  .action((options: GraduateOptions) =>
    runCommand<GraduationReport>(
      options.json ?? false,
      blankGraduation('graduate'),
      (context) => startGraduation(options, context),
      stoppedGraduation,
    ),
  )
  .addCommand(statusCommand)
  .addCommand(cutoverCommand)
  .addCommand(rollbackCommand)
  .addCommand(completeCommand)
  .addCommand(cancelCommand)
