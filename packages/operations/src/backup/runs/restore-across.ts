import { join } from 'node:path'
import {
  runMove,
  undoUnfinished,
  type MoveListener,
  type Report,
  type ReverseRun,
  type RunSettings,
} from '@outgrow/graduate'
import type { Manifest } from '../model/manifest.ts'
import { providerOf } from '../providers.ts'
import { withScratchFolder } from '../sqlite/scratch.ts'
import { restoreWhole, type StoredRequest } from './restore-whole.ts'

/** How a backup of one kind of database gets into the other. */
export interface Across {
  /** What a move of that file is told. */
  settings: (file: string) => RunSettings
  /** By which a file is made. @throws Failure where none is named */
  fileSchema: () => ReverseRun['schema']
  /** What a file does not get. */
  skip: NonNullable<ReverseRun['skip']>
  /** A Postgres on whose server a backup is restored on its way into a file; the embedded one is started without. */
  server: string | undefined
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
): Promise<{ problems: string[]; notes: string[]; move: Report }> {
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
      return { problems, notes: [], move }
    } catch (error) {
      // It was empty, and nothing could go on with a file that is gone.
      await undoUnfinished(request.url).catch(() => {})
      throw error
    }
  })
}
