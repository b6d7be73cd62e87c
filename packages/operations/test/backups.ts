import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { temporaryFolder } from '@outgrow/testing'
import type { Across } from '../src/backup/runs/restore-across.ts'
import type { Manifest } from '../src/backup/model/manifest.ts'
import type { Storage } from '../src/backup/model/storage.ts'
import { runBackup } from '../src/backup/runs/run-backup.ts'
import { runDrill } from '../src/backup/runs/run-drill.ts'
import { runRestore, type RestoreRequest, type RestoreResult } from '../src/backup/runs/run-restore.ts'
import { backupKey } from '../src/backup/seal/backup-key.ts'
import { FolderStorage } from '../src/backup/storage/folder.ts'

/** For restores into the same kind of database. */
const across: Across = {
  settings: unexpected,
  writesHistory: false,
  fileSchema: unexpected,
  skip: {},
  server: undefined,
  listener: unexpected,
}

function unexpected(): never {
  throw new Error('a restore across kinds was not expected')
}

export const key = backupKey(randomBytes(32))

/** A storage, a key and a work folder, and what is done with them. */
export function makeBackups(storage: Storage = new FolderStorage(join(temporaryFolder(), 'backups'))) {
  const workDir = join(temporaryFolder(), '.outgrow')
  const common = {
    storage,
    protection: key,
    workDir,
    signal: new AbortController().signal,
    onProgress: () => {},
  }
  return {
    storage,
    workDir,
    backup: (url: string, more: object = {}): Promise<Manifest> => runBackup({ ...common, url, ...more }),
    restore: (url: string, more: Partial<RestoreRequest> = {}): Promise<RestoreResult> =>
      runRestore({ ...common, url, id: undefined, at: undefined, across, ...more }),
    drill: (more: object = {}) => runDrill({ ...common, id: undefined, server: undefined, ...more }),
  }
}
