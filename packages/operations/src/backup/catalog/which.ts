import type { BackupProvider } from '../model/manifest.ts'
import type { StoredBackup } from './read-catalog.ts'

/** Which backups of a storage are meant; without anything, all. */
export interface Which {
  /** Only of databases of this kind: a backup of the SQLite file is none of the Postgres that came after it. */
  provider?: BackupProvider
  /** Without base backups, which `backup base` makes and recovery needs. */
  withoutBase?: boolean
}

/** One whose manifest cannot be read may be of any kind; what another version wrote is for that one to look after. */
export function isOf({ header, isForeign }: StoredBackup, { provider, withoutBase = false }: Which): boolean {
  if (header === undefined) return !isForeign
  return (
    (provider === undefined || header.provider === provider) && !(withoutBase && header.method === 'base')
  )
}
