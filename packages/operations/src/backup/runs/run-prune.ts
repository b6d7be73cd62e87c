import { leftoverAgeMs, planPrune, type PrunePlan, type PrunePolicy } from '../catalog/plan-prune.ts'
import { readCatalog } from '../catalog/read-catalog.ts'
import { manifestKey } from '../model/keys.ts'
import type { Storage, UnfinishedUpload } from '../model/storage.ts'
import { planWalPrune, type PrunedWal } from '../pitr/plan-wal-prune.ts'

export interface PruneRequest extends PrunePolicy {
  storage: Storage
  /** Says what would be removed. */
  dryRun: boolean
  signal: AbortSignal
}

export interface PruneResult extends PrunePlan {
  /** Keys that uploads which never ended were for. */
  unfinished: string[]
  /** WAL that no base backup needs any more. */
  wal: PrunedWal[]
}

/** Removes what a policy does not keep, and what runs left that never ended. The newest stays, and the newest that a drill has proved. */
export async function runPrune({ storage, dryRun, signal, ...policy }: PruneRequest): Promise<PruneResult> {
  const now = new Date()
  const catalog = await readCatalog(storage, signal)
  const plan = planPrune(catalog, policy, now)
  const removed = new Set(plan.remove.map(({ id }) => id))
  const kept = catalog.backups.filter(({ id }) => !removed.has(id))
  const wal = await planWalPrune(storage, kept, now, signal)
  const unfinished: UnfinishedUpload[] = []
  for await (const upload of storage.unfinished())
    if (now.getTime() - upload.startedAt.getTime() > leftoverAgeMs) unfinished.push(upload)
  if (!dryRun) {
    for (const { id, keys } of plan.remove) {
      signal.throwIfAborted()
      // From here on it is no backup: one that is half removed must not look whole.
      await storage.remove([manifestKey(id)])
      await storage.remove(keys)
    }
    for (const { keys } of plan.leftovers) await storage.remove(keys)
    for (const upload of unfinished) await upload.remove()
    for (const { keys } of wal) await storage.remove(keys)
  }
  return { ...plan, unfinished: unfinished.map(({ key }) => key), wal }
}
