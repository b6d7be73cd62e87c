import { withScratchDatabase } from '@outgrow/databases'
import { runReverse, type Report } from '@outgrow/graduate'
import type { Manifest } from '../model/manifest.ts'
import { providerOf } from '../providers.ts'
import { withScratchFolder } from '../sqlite/scratch.ts'
import type { Across } from './restore-across.ts'
import { restoreWhole, type StoredRequest } from './restore-whole.ts'

/**
 * Restores a backup of Postgres into a database that is gone afterwards, and moves that into a new SQLite file.
 * @throws Failure OUTGROW_RESTORE_NOT_EMPTY; of the move, too
 */
export async function restoreIntoFile(
  manifest: Manifest,
  request: StoredRequest,
  { fileSchema, skip, server, listener }: Across,
): Promise<{ problems: string[]; notes: string[]; move: Report }> {
  const schema = fileSchema()
  await providerOf('sqlite').withTarget(request, (target) => target.refuseUnlessEmpty())
  return withScratchFolder(request.workDir, (directory) =>
    withScratchDatabase('postgres', { server, directory }, async (url) => {
      if (server === undefined) await providerOf('postgres').prepareScratch(url, manifest)
      const { problems, notes } = await restoreWhole(manifest, { ...request, url })
      const { signal } = request
      const { progress, onStep } = listener()
      const { sizeBytes: _, ...moved } = await runReverse({
        from: url,
        to: request.url,
        schema,
        skip,
        progress,
        onStep,
        signal,
      })
      return { problems, notes, move: { command: 'restore', ok: true, fixes: [], error: null, ...moved } }
    }),
  )
}
