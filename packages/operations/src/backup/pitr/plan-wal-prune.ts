import { leftoverAgeMs } from '../catalog/plan-prune.ts'
import type { StoredBackup } from '../catalog/read-catalog.ts'
import type { Storage, StoredObject } from '../model/storage.ts'
import { readWalPart } from './base-details.ts'
import { begunKey, isWalFile, readWalKey, walPrefix } from './wal-files.ts'

export interface PrunedWal {
  archive: string
  keys: string[]
  sizeBytes: number
}

/**
 * WAL from before the first segment that a base backup needs which stays. That of an archive without any is of no use, but is
 * left alone while somebody archives there: the first base backup may be under way. Other programs keep WAL in such folders,
 * too: only an archive that Outgrow began is looked at.
 */
export async function planWalPrune(
  storage: Storage,
  kept: StoredBackup[],
  now: Date,
  signal: AbortSignal,
): Promise<PrunedWal[]> {
  const needed = kept.flatMap(({ keys }) => keys.flatMap((key) => readWalPart(key) ?? []))
  return Array.from(await listArchives(storage, signal), ([archive, objects]) => {
    const first = needed
      .filter((one) => one.archive === archive)
      .map(({ firstSegment }) => firstSegment)
      .toSorted()[0]
    const newest = objects.reduce((last, { modifiedAt }) => Math.max(last, modifiedAt.getTime()), 0)
    const isAbandoned = first === undefined && now.getTime() - newest > leftoverAgeMs
    // Names of segments are in order; what is written beside one begins with its name.
    const gone = objects.filter(({ name }) => isAbandoned || (first !== undefined && name < first))
    return {
      archive,
      keys: gone.map(({ key }) => key),
      sizeBytes: gone.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    }
  }).filter(({ keys }) => keys.length > 0)
}

type WalObject = StoredObject & { name: string }

/** The files of WAL of each archive that Outgrow began. */
async function listArchives(storage: Storage, signal: AbortSignal): Promise<Map<string, WalObject[]>> {
  const archives = new Map<string, WalObject[]>()
  const begun = new Set<string>()
  for await (const object of storage.list(walPrefix, signal)) {
    const { archive, name } = readWalKey(object.key) ?? {}
    if (archive === undefined || name === undefined) continue
    if (object.key === begunKey(archive)) begun.add(archive)
    if (!isWalFile(name)) continue
    const objects = archives.get(archive)
    if (objects === undefined) archives.set(archive, [{ ...object, name }])
    else objects.push({ ...object, name })
  }
  for (const archive of archives.keys()) if (!begun.has(archive)) archives.delete(archive)
  return archives
}
