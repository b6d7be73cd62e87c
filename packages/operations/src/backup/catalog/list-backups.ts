import type { DrillHeader } from '../model/drill.ts'
import type { ManifestHeader } from '../model/manifest.ts'
import type { Storage } from '../model/storage.ts'
import { readCatalog } from './read-catalog.ts'

/** One backup, as a list shows it. What its manifest would tell is null where that cannot be read. */
export interface ListedBackup {
  id: string
  createdAt: string | null
  finishedAt: string | null
  provider: ManifestHeader['provider'] | null
  method: ManifestHeader['method'] | null
  plainBytes: number | null
  storedBytes: number | null
  /** Fingerprint of its key; null for one that is not encrypted. */
  keyId: string | null
  lastDrill: Pick<DrillHeader, 'at' | 'ok' | 'ms'> | null
  /** Why it is not whole; null when it is. */
  problem: string | null
}

/** The backups of a storage, newest first. */
export async function listBackups(storage: Storage, signal?: AbortSignal): Promise<ListedBackup[]> {
  const { backups } = await readCatalog(storage, signal)
  return backups.map(({ id, header, problem = null, drills: [drill] }) => ({
    id,
    createdAt: header?.createdAt ?? null,
    finishedAt: header?.finishedAt ?? null,
    provider: header?.provider ?? null,
    method: header?.method ?? null,
    plainBytes: header?.plainBytes ?? null,
    storedBytes: header?.storedBytes ?? null,
    keyId: header?.keyId ?? null,
    lastDrill: drill ? { at: drill.at, ok: drill.ok, ms: drill.ms } : null,
    problem,
  }))
}
