import { Failure } from '@outgrow/kit'
import type { Manifest } from '../model/manifest.ts'
import type { SourceRequest } from '../model/source.ts'
import type { Storage } from '../model/storage.ts'
import { providerOf } from '../providers.ts'
import type { Protection } from '../seal/backup-key.ts'
import { openParts } from './open-parts.ts'
import { restoreInto } from './restore-into.ts'

/** A target, and where a backup for it is. */
export interface StoredRequest extends SourceRequest {
  storage: Storage
  protection: Protection
}

export interface WholeRestore {
  /** Where it is, without secrets. */
  target: string
  /** What is wrong with the database, and was when it was backed up. */
  problems: string[]
  /** What did not arrive, though nothing is wrong with what did. */
  notes: string[]
}

/** Fills a target with what is in a backup, and nothing else. */
export async function restoreWhole(manifest: Manifest, request: StoredRequest): Promise<WholeRestore> {
  const { storage, protection, signal } = request
  return providerOf(manifest.provider).withTarget(request, async (target) => {
    const openPart = openParts(storage, manifest, protection, signal)
    const { differences, problems, notes } = await restoreInto(target, manifest, openPart)
    const unexpected = manifest.damage.length === 0 ? problems : []
    if (differences.length + unexpected.length > 0) throw differs([...differences, ...unexpected])
    signal.throwIfAborted()
    await target.publish()
    return { target: target.description, problems, notes }
  })
}

function differs(differences: string[]): Failure {
  return new Failure({
    code: 'OUTGROW_RESTORE_DIFFERS',
    message: `What was restored is not what was backed up: ${differences.slice(0, 5).join('; ')}.`,
    why: 'Every table is compared before a restored database is put in place.',
    fix: 'The target is as it was. Restore another backup (`outgrow backup list`), and report this.',
  })
}
