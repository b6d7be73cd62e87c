import { planBackup, runBackup, summaryOf, type BackupPlan, type BackupSummary } from '@outgrow/operations'
import { outcome, type Outcome } from '../output/outcome.ts'
import type { CommandContext } from '../output/run.ts'
import { printBackup, printBackupPlan } from '../render/backup.ts'
import { stepProgress } from '../render/progress.ts'
import { backedUpUrl } from './backed-up-url.ts'
import { protectionOf, storageOf } from './options.ts'

export interface MakeOptions {
  database?: string
  to?: string
  unencrypted?: boolean
  workDir: string
  dryRun?: boolean
  json?: boolean
}

export interface BackupDocument extends Outcome {
  backup: BackupSummary | null
  /** What a dry run would have stored. */
  plan: BackupPlan | null
}

/** Backs up the database that the options name, or says what would be stored. */
export async function makeBackup(
  options: MakeOptions,
  { terminal, signal }: CommandContext,
): Promise<BackupDocument> {
  const url = await backedUpUrl(options.database)
  const protection = protectionOf(options)
  const { storage } = await storageOf('--to', options.to)
  const request = { url, storage, protection, workDir: options.workDir, signal }
  if (options.dryRun) {
    const plan = await planBackup(request)
    printBackupPlan(terminal, plan)
    return outcome('backup', { backup: null, plan })
  }
  const manifest = await runBackup({ ...request, onProgress: stepProgress(terminal) })
  printBackup(terminal, manifest, storage)
  return outcome('backup', { backup: summaryOf(manifest), plan: null }, manifest.damage.length === 0)
}
