import { join, resolve } from 'node:path'
import { embeddedFolder, runningEmbedded } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { Manifest } from '../model/manifest.ts'
import type { BackupProgress } from '../model/source.ts'
import { runBackupOf } from '../runs/run-backup.ts'
import { findArchiveSettings, openWalStore } from './archive-settings.ts'
import { withBaseSource } from './base-source.ts'

export interface TakeBaseRequest {
  workDir: string
  signal: AbortSignal
  onProgress: BackupProgress
}

/**
 * Takes a base backup of the work folder's embedded server, into the storage that it archives to.
 * @throws Failure OUTGROW_ARCHIVE_NOT_SET_UP, OUTGROW_ARCHIVE_FAILING; of the storage
 */
export async function takeBase(request: TakeBaseRequest): Promise<Manifest> {
  const folder = embeddedFolder(join(resolve(request.workDir), 'postgres'))
  const settings = findArchiveSettings(folder)
  const server = settings && (await runningEmbedded(request.workDir))
  if (settings === undefined || server === undefined) {
    throw new Failure({
      code: 'OUTGROW_ARCHIVE_NOT_SET_UP',
      message: `The embedded PostgreSQL of ${request.workDir} does not archive its WAL.`,
      why: 'A base backup is of use only with the WAL that follows it.',
      fix: 'Run outgrow backup init --to <folder or s3://bucket/prefix> first.',
    })
  }
  const store = await openWalStore(settings)
  return runBackupOf(withBaseSource, { ...request, ...store, url: server.url, archive: settings.archive })
}
