import { join } from 'node:path'
import { runMove, undoUnfinished, type MoveListener, type Report, type RunSettings } from '@outgrow/graduate'
import type { Manifest } from '../model/manifest.ts'
import { providerOf } from '../providers.ts'
import { withScratchFolder } from '../sqlite/scratch.ts'
import { restoreWhole, type StoredRequest } from './restore-whole.ts'

/** How a backup of SQLite gets into Postgres. */
export interface Across {
  /** What a move of that file is told. */
  settings: (file: string) => RunSettings
  /** See `MoveRun`. */
  writesHistory: boolean
  /** Asked for when the move begins. */
  listener: () => MoveListener
}

/**
 * Restores a backup of SQLite into a file that is gone afterwards, and moves that into an empty Postgres.
 * @throws Failure OUTGROW_RESTORE_NOT_EMPTY; of the move, too
 */
export async function restoreAcross(
  manifest: Manifest,
  request: StoredRequest,
  across: Across,
): Promise<{ problems: string[]; move: Report }> {
  await providerOf('postgres').withTarget(request, (target) => target.refuseUnlessEmpty())
  return withScratchFolder(request.workDir, async (folder) => {
    const file = join(folder, 'restored.db')
    const { problems } = await restoreWhole(manifest, { ...request, url: file })
    try {
      const move = await runMove(
        {
          ...across.settings(file),
          command: 'migrate',
          target: { url: request.url, made: undefined },
          rendered: undefined,
          writesHistory: across.writesHistory,
          unfinished: 'refuse',
          acceptQuarantine: false,
        },
        across.listener(),
      )
      return { problems, move }
    } catch (error) {
      // It was empty, and nothing could go on with a file that is gone.
      await undoUnfinished(request.url).catch(() => {})
      throw error
    }
  })
}
