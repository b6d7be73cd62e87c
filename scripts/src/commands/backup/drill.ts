import { Command } from 'commander'
import { runDrill, type Drill } from '@outgrow/operations'
import {
  drillServer,
  protectionOf,
  storageOf,
  withKey,
  withStorage,
  type BackupOptions,
} from '../../backup/options.ts'
import { outcome, type Outcome } from '../../output/outcome.ts'
import { runCommand } from '../../output/run.ts'
import { printDrill, stoppedDrill } from '../../render/backups.ts'
import { stepProgress } from '../../render/progress.ts'

type Options = BackupOptions & { server?: string }

export const drillCommand = withKey(withStorage(new Command('drill')))
  .summary('restore the newest backup for a try, compare everything, record it')
  .description(
    'Restores the newest backup into a scratch database, compares the digest of every table, measures the time and records the outcome beside the backup, where list, prune and doctor find it.',
  )
  .option(
    '--server <url>',
    'Postgres to make the scratch database on (default: OUTGROW_DRILL_SERVER, else the embedded PostgreSQL)',
  )
  .addHelpText(
    'after',
    '\nExamples:\n  outgrow backup drill --from /var/backups/app\n  outgrow backup drill --from s3://backups/app/20261126T171500Z-9f3a61c0 --json\n\nExit status: 0 proved, 2 could not be tried, 3 stopped, 4 the backup does not restore.',
  )
  .action((_: object, command: Command) => {
    const options = command.optsWithGlobals<Options>()
    return runCommand<Outcome & { drill: Drill | null }>(
      options.json ?? false,
      { command: 'backup drill', drill: null },
      async ({ terminal, signal }) => {
        const protection = protectionOf(options)
        const { storage, id } = await storageOf('--from', options.from)
        const onProgress = stepProgress(terminal)
        const { workDir } = options
        const server = drillServer(options.server)
        const drill = await runDrill({ storage, protection, workDir, server, id, signal, onProgress })
        printDrill(terminal, drill)
        return outcome('backup drill', { drill }, drill.ok)
      },
      stoppedDrill,
    )
  })
