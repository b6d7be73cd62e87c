import { Command } from 'commander'
import { summaryOf, takeBase, type BackupSummary } from '@outgrow/operations'
import type { BackupOptions } from '../../backup/options.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { stoppedBackup } from '../../render/backup.ts'
import { printBase } from '../../render/backup-init.ts'
import { stepProgress } from '../../render/progress.ts'

export const baseCommand = new Command('base')
  .summary('another base backup of the embedded server, to recover from')
  .description(
    'Copies the files of the work folder’s embedded server to the storage that backup init set up. Recovery begins with the newest one before the time, so a weekly one keeps it short, and lets prune remove older WAL.',
  )
  .option('--work-dir <folder>', 'where the embedded server is', '.outgrow')
  .option('--json', 'print one JSON document on stdout')
  .addHelpText(
    'after',
    '\nExamples:\n  outgrow backup base\n  outgrow backup base --work-dir /srv/app/.outgrow --json',
  )
  .action((_: object, command: Command) => {
    const { json, workDir } = command.optsWithGlobals<BackupOptions>()
    return runCommand<Outcome & { backup: BackupSummary | null }>(
      json ?? false,
      { command: 'backup base', backup: null },
      async ({ terminal, signal }) => {
        const manifest = await takeBase({ workDir, signal, onProgress: stepProgress(terminal) })
        printBase(terminal, manifest)
        return outcome('backup base', { backup: summaryOf(manifest) })
      },
      stoppedBackup,
    )
  })
