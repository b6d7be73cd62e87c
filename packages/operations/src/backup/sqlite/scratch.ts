import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import {
  makeOwnedFolder,
  removeAbandonedFolders,
  removeAbandonedScratch,
  removeEmbeddedPostgres,
  stateDirectory,
} from '@outgrow/databases'

/**
 * Runs `use` with a folder that is gone afterwards. What a run that was killed left is removed by the next: it holds all
 * rows, in the clear.
 */
export async function withScratchFolder<Result>(
  workDir: string,
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  const parent = stateDirectory(workDir)
  // First the servers of drills: those that lie in them, and that of a base backup, to which for root only the path leads.
  await removeAbandonedFolders(parent, /^backup-\d+-[0-9a-f]{8}$/, async (orphan) => {
    await removeAbandonedScratch(orphan)
    await removeEmbeddedPostgres(join(orphan, 'postgres'))
  })
  const folder = makeOwnedFolder(join(parent, `backup-${process.pid}-${randomBytes(4).toString('hex')}`))
  try {
    return await use(folder.path)
  } finally {
    folder.remove()
  }
}
