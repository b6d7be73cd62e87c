import { Command } from 'commander'
import { runPrune, type PruneResult } from '@outgrow/operations'
import { storageOf, withStorage, type BackupOptions } from '../../backup/options.ts'
import { numberOf } from '../../number-option.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printPrune, stoppedPrune } from '../../render/backups.ts'

type Options = BackupOptions & { keepDaily: string; keepWeekly: string; dryRun?: boolean }

export const pruneCommand = withStorage(new Command('prune'))
  .summary('remove old backups, and never the newest or the last proved one')
  .description(
    'Keeps the newest backup of each of the last days and weeks (UTC). The newest always stays, and so does the newest that a drill has proved. What runs left that never ended is removed after a day.',
  )
  .option('--keep-daily <days>', 'of how many days', '7')
  .option('--keep-weekly <weeks>', 'of how many weeks', '4')
  .option('--dry-run', 'say what would be removed')
  .addHelpText(
    'after',
    '\nExamples:\n  outgrow backup prune --from /var/backups/app --keep-daily 7 --keep-weekly 4 --dry-run\n  outgrow backup prune --from s3://backups/app --keep-daily 30',
  )
  .action((_: object, command: Command) => {
    const { json, from, dryRun = false, ...options } = command.optsWithGlobals<Options>()
    return runCommand<Outcome & PruneResult>(
      json ?? false,
      { command: 'backup prune', keep: [], remove: [], leftovers: [], unfinished: [], wal: [] },
      async ({ terminal, signal }) => {
        const limits = { least: 0, most: 10_000, isWhole: true }
        const keepDaily = numberOf('keep-daily', options.keepDaily, limits)
        const keepWeekly = numberOf('keep-weekly', options.keepWeekly, limits)
        const { storage } = await storageOf('--from', from)
        const pruned = await runPrune({ storage, keepDaily, keepWeekly, dryRun, signal })
        printPrune(terminal, pruned, dryRun)
        return outcome('backup prune', pruned)
      },
      stoppedPrune,
    )
  })
