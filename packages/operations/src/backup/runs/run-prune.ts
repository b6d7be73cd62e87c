import { leftoverAgeMs, planPrune, type PrunePlan, type PrunePolicy } from '../catalog/plan-prune.ts'
import { readCatalog } from '../catalog/read-catalog.ts'
import { manifestKey, readKey } from '../model/keys.ts'
import type { Storage, UnfinishedUpload } from '../model/storage.ts'
import { planWalPrune, type PrunedWal } from '../pitr/plan-wal-prune.ts'
import { begunKey, isWalFile, walPrefix } from '../pitr/wal-files.ts'

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
  // First: an upload that ends meanwhile is an object by the time that those are listed.
  const { ended: unfinished, running } = await readUploads(storage, now, signal)
  const catalog = await readCatalog(storage, signal)
  const { leftovers: old, ...plan } = planPrune(catalog, policy, now)
  const leftovers = old.filter(({ id }) => !running.has(id))
  const removed = new Set(plan.remove.map(({ id }) => id))
  const kept = catalog.backups.filter(({ id }) => !removed.has(id))
  const wal = await planWalPrune(storage, kept, now, signal)
  if (!dryRun) {
    for (const { id, keys } of plan.remove) {
      signal.throwIfAborted()
      // From here on it is no backup: one that is half removed must not look whole.
      await storage.remove([manifestKey(id)])
      await storage.remove(keys)
    }
    for (const { keys } of leftovers) await storage.remove(keys)
    for (const upload of unfinished) await upload.remove()
    for (const { keys } of wal) await storage.remove(keys)
  }
  return { ...plan, leftovers, unfinished: unfinished.map(({ key }) => key), wal }
}

/** Uploads that have stored nothing for a day, and the ids of backups that are being made. */
async function readUploads(storage: Storage, now: Date, signal: AbortSignal) {
  const ended: UnfinishedUpload[] = []
  const running = new Set<string>()
  for await (const upload of storage.unfinished()) {
    signal.throwIfAborted()
    const id = readKey(upload.key)?.id
    if (id === undefined && !isWalKey(upload.key)) continue // another application's
    const at = await upload.lastActiveAt()
    if (at !== undefined && now.getTime() - at.getTime() > leftoverAgeMs) ended.push(upload)
    else if (id !== undefined) running.add(id)
  }
  return { ended, running }
}

function isWalKey(key: string): boolean {
  const [archive = '', name = '', ...more] = key.slice(walPrefix.length).split('/')
  return key.startsWith(walPrefix) && more.length === 0 && (key === begunKey(archive) || isWalFile(name))
}
