import { Command } from 'commander'
import { listBackups, type ListedBackup } from '@outgrow/operations'
import { storageOf, withStorage, type BackupOptions } from '../../backup/options.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printBackups } from '../../render/backups.ts'

export const listCommand = withStorage(new Command('list'))
  .summary('the backups of a storage, and whether a drill has proved them')
  .description('Lists what a storage holds. The key is not needed: what is listed is not encrypted.')
  .addHelpText(
    'after',
    '\nExamples:\n  outgrow backup list --from /var/backups/app\n  outgrow backup list --from s3://backups/app --json\n\nExit status: 0 all are whole, 2 the storage cannot be read, 4 some are not.',
  )
  .action((_: object, command: Command) => {
    const { json, from } = command.optsWithGlobals<BackupOptions>()
    return runCommand<Outcome & { backups: ListedBackup[] }>(
      json ?? false,
      { command: 'backup list', backups: [] },
      async ({ terminal, signal }) => {
        const { storage } = await storageOf('--from', from)
        const backups = await listBackups(storage, signal)
        printBackups(terminal, backups, storage)
        return outcome(
          'backup list',
          { backups },
          backups.every(({ problem }) => problem === null),
        )
      },
    )
  })
