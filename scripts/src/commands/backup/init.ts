import { Command } from 'commander'
import { runInit, type InitDocument, type InitOptions } from '../../backup/run-init.ts'
import { runCommand } from '../../output/run.ts'
import { blankInit, stoppedInit } from '../../render/backup-init.ts'

export const initCommand = new Command('init')
  .summary('archive the WAL, so that a Postgres can be restored to any time')
  .description(
    'Has a Postgres archive every change. Of the work folder’s embedded server the WAL is compressed, encrypted and stored, and the first base backup is taken. For your own server, named with --database, it writes what pgBackRest needs: configuration, settings, timers, and a runbook; the server itself is only read.',
  )
  .option('--database <url>', 'your own server (default: the embedded one of the work folder)')
  .option('--to <location>', 'a folder, or s3://bucket/prefix (default: OUTGROW_BACKUP_TO)')
  .option('--unencrypted', 'store what everybody can read who can read the storage')
  .option('--work-dir <folder>', 'where the embedded server is', '.outgrow')
  .option('--dry-run', 'report what would be done, and change nothing')
  .option('--json', 'print one JSON document on stdout')
  .option('--dir <folder>', 'where the files for your own server are written', 'pgbackrest')
  .option('--stanza <name>', 'pgBackRest’s name for your own server', 'main')
  .option(
    '--config-path <path>',
    'where pgbackrest.conf will be on your own server',
    '/etc/pgbackrest/pgbackrest.conf',
  )
  .option('--check', 'look at a server that is set up already, and report what is wrong')
  .addHelpText(
    'after',
    `
Examples:
  outgrow backup init --to /mnt/backups/app --dry-run
  outgrow backup init --to s3://backups/app
  outgrow backup init --check
  outgrow backup init --database "$POSTGRES_URL" --to s3://backups/app --dir pgbackrest
  outgrow backup init --database "$POSTGRES_URL" --check
  outgrow restore --from /mnt/backups/app --to restored --at 2026-12-01T03:00:00Z

Exit status: 0 done, 2 refused, 3 stopped, 4 the check found something.`,
  )
  .action((_: object, command: Command) => {
    const options = command.optsWithGlobals<InitOptions>()
    return runCommand<InitDocument>(
      options.json ?? false,
      { command: 'backup init', ...blankInit },
      (context) => runInit(options, context),
      stoppedInit,
    )
  })
