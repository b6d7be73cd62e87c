import { drillKey, manifestKey } from '../model/keys.ts'
import { drillSchema, type Drill } from '../model/drill.ts'
import { manifestSchema, type Manifest } from '../model/manifest.ts'
import type { Storage } from '../model/storage.ts'
import type { Protection } from '../seal/backup-key.ts'
import { bytesOf, collect, openDocument, sealDocument } from '../seal/sealed-document.ts'

/** @throws Failure OUTGROW_BACKUP_OBJECT_MISSING, OUTGROW_BACKUP_DAMAGED, OUTGROW_BACKUP_KEY_WRONG, OUTGROW_BACKUP_UNENCRYPTED */
export async function readManifest(storage: Storage, id: string, protection: Protection): Promise<Manifest> {
  const key = manifestKey(id)
  return openDocument(key, await collect(storage.get(key)), manifestSchema, protection)
}

/** From here on it is a backup. */
export async function writeManifest(
  storage: Storage,
  manifest: Manifest,
  protection: Protection,
): Promise<void> {
  const { id, provider, method, createdAt, finishedAt, storedBytes, plainBytes, keyId, ...body } = manifest
  const header = { id, provider, method, createdAt, finishedAt, storedBytes, plainBytes, keyId }
  const bytes = await sealDocument(manifestKey(id), header, body, protection)
  await storage.put(manifestKey(id), bytesOf(bytes), { ifAbsent: true })
}

export async function writeDrill(storage: Storage, drill: Drill, protection: Protection): Promise<void> {
  const { id, at, ok, ms, keyId, ...body } = drillSchema.parse(drill)
  const key = drillKey(id, new Date(at))
  await storage.put(key, bytesOf(await sealDocument(key, { id, at, ok, ms, keyId }, body, protection)))
}
