import { Command } from 'commander'
import { withAcross } from '../backup/across.ts'
import { withKey, withStorage } from '../backup/options.ts'
import {
  blankRestore,
  restoreBackup,
  type RestoreDocument,
  type RestoreOptions,
} from '../backup/restore-backup.ts'
import { runCommand } from '../output/run.ts'
import { stoppedRestore } from '../render/restore.ts'

export const restoreCommand = withAcross(withKey(withStorage(new Command('restore'))))
  .summary('restore a backup into an empty database')
  .description(
    'Restores the newest whole backup, or the one that is named, beside the target; compares the digest of every table; and only then puts it in place. Nothing is ever replaced, and a restore that fails leaves the target as it was.',
  )
  .requiredOption(
    '--to <target>',
    'file: URL of a file that is not there yet, postgresql: URL of an empty database, or a work folder for an embedded server that archived its WAL',
  )
  .option(
    '--at <time>',
    'the state of then or before, such as 2026-12-01T03:00:00Z; a server is restored to exactly then',
  )
  .addHelpText(
    'after',
    `
Examples:
  outgrow restore --from /var/backups/app --to file:./restored.db
  outgrow restore --from s3://backups/app/20261126T171500Z-9f3a61c0 --to file:./restored.db
  outgrow restore --from /mnt/backups/app --to restored --at 2026-11-25T12:00:00Z
  outgrow restore --from s3://backups/app --at 2026-11-25T12:00:00Z --to "$POSTGRES_URL"
  outgrow restore --from ./backups-of-sqlite --to "$POSTGRES_URL" --schema introspect

Exit status: 0 restored, 2 expected failure, 3 stopped, 4 restored, with something to look at.`,
  )
  .action((options: RestoreOptions) =>
    runCommand<RestoreDocument>(
      options.json ?? false,
      blankRestore,
      (context) => restoreBackup(options, context),
      stoppedRestore,
    ),
  )
