import { exit } from '@outgrow/kit'
import type { Report } from '@outgrow/graduate'
import { recover, runRestore, summaryOf, type BackupSummary } from '@outgrow/operations'
import { outcome, type Outcome } from '../output/outcome.ts'
import type { CommandContext } from '../output/run.ts'
import { stepProgress } from '../render/progress.ts'
import { printRecovered, printRestore, shownRecovery, type ShownRecovery } from '../render/restore.ts'
import { acrossOf, type AcrossOptions } from './across.ts'
import { protectionOf, storageOf, type BackupOptions } from './options.ts'
import { restoreTarget } from './restore-target.ts'
import { timeOf } from './time-of.ts'

export interface RestoreOptions extends BackupOptions, AcrossOptions {
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
  /** What did not arrive, such as grants to roles that the server does not have. */
  notes: string[]
  /** The report of the move, where a backup of SQLite went into Postgres. */
  move: Report | null
  ms: number | null
  /** Only of a server that was restored with its WAL. */
  recovery: ShownRecovery | null
}

export const blankRestore = {
  command: 'restore',
  backup: null,
  target: null,
  passedOver: [],
  problems: [],
  notes: [],
  move: null,
  ms: null,
  recovery: null,
}

/** Restores the backup that the options name: into a database, or as a server into a work folder. */
export async function restoreBackup(
  options: RestoreOptions,
  context: CommandContext,
): Promise<RestoreDocument> {
  const { terminal, signal } = context
  const to = restoreTarget(options.to)
  const at = options.at === undefined ? undefined : timeOf('--at', options.at)
  const protection = protectionOf(options)
  const { storage, id } = await storageOf('--from', options.from)
  if ('workDir' in to) {
    const { workDir } = to
    const onProgress = stepProgress(terminal)
    const recovered = await recover({ storage, protection, id, at, signal, onProgress, workDir })
    printRecovered(terminal, recovered, workDir)
    const { base, ms } = recovered
    const document = { ...blankRestore, backup: summaryOf(base.manifest), target: workDir, ms }
    return outcome('restore', { ...document, recovery: shownRecovery(recovered) })
  }
  const run = { url: to.url, workDir: options.workDir, signal, onProgress: stepProgress(terminal) }
  const { done, ...across } = acrossOf(options, context)
  const restored = await runRestore({ ...run, storage, protection, id, at, across }).finally(done)
  printRestore(terminal, restored)
  const { manifest, ...others } = restored
  const { problems, notes, move } = others
  const passedOver = restored.passedOver.map(({ id, problem = '' }) => ({ id, problem }))
  const isClean = problems.length + notes.length + passedOver.length === 0
  const document = outcome(
    'restore',
    { ...others, backup: summaryOf(manifest), passedOver, recovery: null },
    isClean,
  )
  if (move === null || move.exitCode === exit.done) return document
  return { ...document, ok: move.ok && isClean, exitCode: move.exitCode, error: move.error }
}
