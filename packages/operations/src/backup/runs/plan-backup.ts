import type { BackupProvider } from '../model/manifest.ts'
import { kindOf, providerOf } from '../providers.ts'
import { keyIdOf } from '../seal/backup-key.ts'
import type { BackupRequest } from './run-backup.ts'

/** What a backup would be, found without storing anything. */
export interface BackupPlan {
  provider: BackupProvider
  /** Without secrets. */
  database: string
  sizeBytes: number
  location: string
  keyId: string | null
  notes: string[]
}

/** @throws Failure of the source, of the storage: as the backup itself would */
export async function planBackup({
  url,
  storage,
  protection,
}: Pick<BackupRequest, 'url' | 'storage' | 'protection'>): Promise<BackupPlan> {
  const provider = kindOf(url)
  const found = await providerOf(provider).look(url)
  return { provider, ...found, location: storage.description, keyId: keyIdOf(protection) }
}
