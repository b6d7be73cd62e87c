import { Command } from 'commander'
import { makeBackup, type BackupDocument, type MakeOptions } from '../backup/make-backup.ts'
import { withDestination } from '../backup/options.ts'
import { runCommand } from '../output/run.ts'
import { stoppedBackup } from '../render/backup.ts'
import { refusingUnread } from '../refuse-unread.ts'
import { baseCommand } from './backup/base.ts'
import { drillCommand } from './backup/drill.ts'
import { initCommand } from './backup/init.ts'
import { listCommand } from './backup/list.ts'
import { pruneCommand } from './backup/prune.ts'
import { scheduleCommand } from './backup/schedule.ts'

export const backupCommand = refusingUnread(withDestination(new Command('backup')))
  .summary('a compressed, encrypted backup of a live database, known to restore')
  .description(
    'Copies one state of a live database, under writes, to a folder or a bucket: compressed, encrypted with OUTGROW_BACKUP_KEY, with the digest of every table. Nothing is a backup before all of it is stored.',
  )
  .option('--dry-run', 'report what would be done, and store nothing')
  .addHelpText(
    'after',
    `
Examples:
  export OUTGROW_BACKUP_KEY=$(openssl rand -hex 32)   # keep a copy where the backups are not
  outgrow backup --database file:./app.db --to /var/backups/app
  outgrow backup --database "$POSTGRES_URL" --to s3://backups/app
  outgrow backup drill --from /var/backups/app         # proves that the newest one restores
  outgrow restore --from /var/backups/app --to file:./restored.db

Exit status: 0 done, 2 expected failure, 3 stopped, 4 stored, but the database is damaged.`,
  )
  .action((options: MakeOptions) =>
    runCommand<BackupDocument>(
      options.json ?? false,
      { command: 'backup', backup: null, plan: null },
      (context) => makeBackup(options, context),
      stoppedBackup,
    ),
  )
  .addCommand(initCommand)
  .addCommand(baseCommand)
  .addCommand(listCommand)
  .addCommand(pruneCommand)
  .addCommand(drillCommand)
  .addCommand(scheduleCommand)
