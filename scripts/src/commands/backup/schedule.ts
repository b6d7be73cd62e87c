import { Command } from 'commander'
import { runSchedule } from '@outgrow/operations'
import { intervalOf } from '../../backup/interval.ts'
import { drillServer, protectionOf, storageOf } from '../../backup/options.ts'
import { databaseUrl } from '../../billing/context.ts'
import { numberOf } from '../../number-option.ts'
import type { Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printScheduled, printScheduleFailure } from '../../render/backup-schedule.ts'

interface Options {
  database?: string
  to?: string
  every: string
  drillEvery: string
  keepDaily: string
  keepWeekly: string
  server?: string
  unencrypted?: boolean
  workDir: string
  json?: boolean
}

export const scheduleCommand = new Command('schedule')
  .summary('make backups, prune them and try them, until it is stopped')
  .description(
    'For a container, or a server without timers: makes a backup when the newest is old enough, prunes after it, and drills. What is due is judged by what the storage holds. A failure is printed and tried again.',
  )
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
    const options = command.optsWithGlobals<Options>()
    return runCommand<Outcome>(
      options.json ? 'lines' : false,
      { command: 'backup schedule' },
      async ({ terminal, signal }) => {
        const limits = { least: 0, most: 10_000, isWhole: true }
        const { storage } = await storageOf('--to', options.to)
        return runSchedule({
          url: databaseUrl(options.database),
          storage,
          protection: protectionOf(options),
          everyMs: intervalOf('--every', options.every),
          drillEveryMs:
            options.drillEvery === 'never' ? undefined : intervalOf('--drill-every', options.drillEvery),
          keepDaily: numberOf('keep-daily', options.keepDaily, limits),
          keepWeekly: numberOf('keep-weekly', options.keepWeekly, limits),
          server: drillServer(options.server),
          workDir: options.workDir,
          signal,
          onProgress: () => {},
          onDone: printScheduled(terminal, storage, options.json ?? false),
          onFailure: printScheduleFailure(terminal, options.json ?? false),
        })
      },
      { why: 'A backup that was being made is none; those that were stored stay.', fix: 'Start it again.' },
    )
  })
