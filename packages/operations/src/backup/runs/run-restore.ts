import type { Report } from '@outgrow/graduate'
import { redactUrl } from '@outgrow/kit'
import { chooseBackup, type Wanted } from '../catalog/choose-backup.ts'
import { readManifest } from '../catalog/documents.ts'
import { readCatalog, type StoredBackup } from '../catalog/read-catalog.ts'
import type { Manifest } from '../model/manifest.ts'
import { kindOf } from '../providers.ts'
import { restoreAcross, type Across } from './restore-across.ts'
import { restoreIntoFile } from './restore-into-file.ts'
import { restoreWhole, type StoredRequest } from './restore-whole.ts'

export interface RestoreRequest extends StoredRequest, Wanted {
  /** How a backup of one kind of database gets into the other. */
  across: Across
}

export interface RestoreResult {
  manifest: Manifest
  /** Where it is, without secrets. */
  target: string
  /** Newer ones that are not whole. */
  passedOver: StoredBackup[]
  /** What is wrong with the database, and was when it was backed up. */
  problems: string[]
  /** What did not arrive, such as grants to roles that the server does not have. */
  notes: string[]
  /** Of a backup that was moved into the other kind of database. */
  move: Report | null
  ms: number
}

/**
 * Restores a backup into an empty target, which holds all of it afterwards, or is as it was.
 * @throws Failure OUTGROW_BACKUP_NOT_FOUND, OUTGROW_RESTORE_NOT_EMPTY, OUTGROW_RESTORE_DIFFERS; of the target, of the storage
 */
export async function runRestore(request: RestoreRequest): Promise<RestoreResult> {
  const { storage, protection, signal, url } = request
  const started = performance.now()
  const kind = kindOf(url)
  const { chosen, passedOver } = chooseBackup(
    await readCatalog(storage, signal),
    request,
    storage.description,
  )
  const manifest = await readManifest(storage, chosen.id, protection)
  const found = { manifest, passedOver, target: redactUrl(url) }
  if (manifest.provider === kind) {
    const restored = await restoreWhole(manifest, request)
    return { ...found, ...restored, move: null, ms: performance.now() - started }
  }
  const restored = await (kind === 'postgres'
    ? restoreAcross(manifest, request, request.across)
    : restoreIntoFile(manifest, request, request.across))
  return { ...found, ...restored, ms: performance.now() - started }
}
