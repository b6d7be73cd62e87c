import { Command } from 'commander'
import { dueWork, runSchedule } from '@outgrow/operations'
import { withDestination } from '../../backup/options.ts'
import { scheduleRequest, type ScheduleOptions } from '../../backup/schedule-request.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printDue, printScheduled, printScheduleFailure } from '../../render/backup-schedule.ts'

export const scheduleCommand = withDestination(new Command('schedule'))
  .summary('make backups, prune them and try them, until it is stopped')
  .description(
    'For a container, or a server without timers: makes a backup when the newest is old enough, prunes after it, and drills. What is due is judged by what the storage holds. A failure is printed and tried again.',
  )
  .option('--dry-run', 'say what is due now, and end')
  .option('--every <interval>', 'such as 6h or 1d', '24h')
  .option('--drill-every <interval>', 'such as 7d; never for none', '7d')
  .option('--keep-daily <days>', 'of how many days', '7')
  .option('--keep-weekly <weeks>', 'of how many weeks', '4')
  .option(
    '--server <url>',
    'Postgres to make a drill’s scratch database on (default: OUTGROW_DRILL_SERVER, else the embedded PostgreSQL)',
  )
  .addHelpText(
    'after',
    '\nExamples:\n  outgrow backup schedule --database file:./app.db --to /var/backups/app\n  outgrow backup schedule --every 6h --drill-every 1d --json\n\nWith --json, one document per line. Exit status: 2 it cannot begin, 3 stopped.',
  )
  .action((_: object, command: Command) => {
    const options = command.optsWithGlobals<ScheduleOptions>()
    const asJson = options.json ?? false
    return runCommand<Outcome>(
      asJson && !options.dryRun ? 'lines' : asJson,
      { command: 'backup schedule' },
      async ({ terminal, signal }) => {
        const request = await scheduleRequest(options)
        if (options.dryRun) {
          const due = await dueWork(request, signal)
          printDue(terminal, due)
          return outcome('backup schedule', { due })
        }
        return runSchedule({
          ...request,
          signal,
          onProgress: () => {},
          onDone: printScheduled(terminal, request.storage, asJson),
          onFailure: printScheduleFailure(terminal, asJson),
        })
      },
      { why: 'A backup that was being made is none; those that were stored stay.', fix: 'Start it again.' },
    )
  })
