import { leftoverAgeMs } from '../catalog/plan-prune.ts'
import type { StoredBackup } from '../catalog/read-catalog.ts'
import type { Storage, StoredObject } from '../model/storage.ts'
import { readWalPart } from './base-details.ts'
import { begunKey, walPrefix } from './wal-files.ts'

export interface PrunedWal {
  archive: string
  keys: string[]
  sizeBytes: number
}

/**
 * WAL from before the first segment that a base backup needs which stays. That of an archive without any is of no use, but is
 * left alone while somebody archives there: the first base backup may be under way.
 */
export async function planWalPrune(
  storage: Storage,
  kept: StoredBackup[],
  now: Date,
  signal: AbortSignal,
): Promise<PrunedWal[]> {
  const archives = new Map<string, StoredObject[]>()
  for await (const object of storage.list(walPrefix, signal)) {
    const archive = object.key.split('/')[1] ?? ''
    if (object.key !== begunKey(archive)) archives.set(archive, [...(archives.get(archive) ?? []), object])
  }
  const needed = kept.flatMap(({ keys }) => keys.flatMap((key) => readWalPart(key) ?? []))
  return Array.from(archives, ([archive, objects]) => {
    const first = needed
      .filter((one) => one.archive === archive)
      .map(({ firstSegment }) => firstSegment)
      .toSorted()[0]
    const newest = Math.max(...objects.map(({ modifiedAt }) => modifiedAt.getTime()))
    const isAbandoned = first === undefined && now.getTime() - newest > leftoverAgeMs
    // Names of segments are in order; what is written beside one begins with its name.
    const gone = objects.filter(({ key }) => isAbandoned || (first !== undefined && nameOf(key) < first))
    return {
      archive,
      keys: gone.map(({ key }) => key),
      sizeBytes: gone.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    }
  }).filter(({ keys }) => keys.length > 0)
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}
