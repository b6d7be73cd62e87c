import { Command } from 'commander'
import { runRestore, summaryOf, type BackupSummary } from '@outgrow/operations'
import { protectionOf, storageOf, withKey, withStorage, type BackupOptions } from '../backup/options.ts'
import { timeOf } from '../backup/time-of.ts'
import { outcome, type Outcome } from '../output/outcome.ts'
import { runCommand } from '../output/run.ts'
import { printRestore, shownPassedOver, stoppedRestore } from '../render/restore.ts'
import { stepProgress } from '../render/progress.ts'

type Options = BackupOptions & { to: string; at?: string }

interface Document extends Outcome {
  backup: BackupSummary | null
  target: string | null
  passedOver: { id: string; problem: string }[]
  problems: string[]
  ms: number | null
}

const blank = { backup: null, target: null, passedOver: [], problems: [], ms: null }

export const restoreCommand = withKey(withStorage(new Command('restore')))
  .summary('restore a backup into an empty database')
  .description(
    'Restores the newest whole backup, or the one that is named, beside the target; compares the digest of every table; and only then puts it in place. Nothing is ever replaced, and a restore that fails leaves the target as it was.',
  )
  .requiredOption(
    '--to <url>',
    'file: URL of a file that is not there yet, or postgresql: URL of an empty database',
  )
  .option('--at <time>', 'the state of then or before, such as 2026-12-01T03:00:00Z')
  .addHelpText(
    'after',
    `
Examples:
  outgrow restore --from /var/backups/app --to file:./restored.db
  outgrow restore --from s3://backups/app/20261126T171500Z-9f3a61c0 --to file:./restored.db
  outgrow restore --from s3://backups/app --at 2026-11-25T12:00:00Z --to "$POSTGRES_URL"

Exit status: 0 restored, 2 expected failure, 3 stopped, 4 restored, with something to look at.`,
  )
  .action((options: Options) =>
    runCommand<Document>(
      options.json ?? false,
      { command: 'restore', ...blank },
      async ({ terminal, signal }) => {
        const at = options.at === undefined ? undefined : timeOf('--at', options.at)
        const protection = protectionOf(options)
        const { storage, id } = await storageOf('--from', options.from)
        const run = { url: options.to, workDir: options.workDir, signal, onProgress: stepProgress(terminal) }
        const restored = await runRestore({ ...run, storage, protection, id, at })
        printRestore(terminal, restored)
        const { manifest, passedOver, problems, ...more } = restored
        const document = {
          ...more,
          backup: summaryOf(manifest),
          problems,
          passedOver: passedOver.map(shownPassedOver),
        }
        return outcome('restore', document, problems.length + passedOver.length === 0)
      },
      stoppedRestore,
    ),
  )
