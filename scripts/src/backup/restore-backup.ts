import { runRestore, summaryOf, type BackupSummary } from '@outgrow/operations'
import { outcome, type Outcome } from '../output/outcome.ts'
import type { CommandContext } from '../output/run.ts'
import { stepProgress } from '../render/progress.ts'
import { printRestore } from '../render/restore.ts'
import { protectionOf, storageOf, type BackupOptions } from './options.ts'
import { timeOf } from './time-of.ts'

export interface RestoreOptions extends BackupOptions {
  to: string
  at?: string
}

export interface RestoreDocument extends Outcome {
  backup: BackupSummary | null
  target: string | null
  /** Newer ones that are not whole. */
  passedOver: { id: string; problem: string }[]
  /** What is wrong with the database, and was when it was backed up. */
  problems: string[]
  ms: number | null
}

/** Restores the backup that the options name. */
export async function restoreBackup(
  options: RestoreOptions,
  { terminal, signal }: CommandContext,
): Promise<RestoreDocument> {
  const at = options.at === undefined ? undefined : timeOf('--at', options.at)
  const protection = protectionOf(options)
  const { storage, id } = await storageOf('--from', options.from)
  const run = { url: options.to, workDir: options.workDir, signal, onProgress: stepProgress(terminal) }
  const restored = await runRestore({ ...run, storage, protection, id, at })
  printRestore(terminal, restored)
  const { manifest, problems, target, ms } = restored
  const passedOver = restored.passedOver.map(({ id, problem = '' }) => ({ id, problem }))
  const document = { backup: summaryOf(manifest), target, passedOver, problems, ms }
  return outcome('restore', document, problems.length + passedOver.length === 0)
}
