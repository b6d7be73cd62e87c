import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { Failure } from '@outgrow/kit'
import manifestOfPackage from '../../../package.json' with { type: 'json' }
import { readManifest, writeManifest } from '../catalog/documents.ts'
import { manifestKey, newBackupId, partKey, readKey } from '../model/keys.ts'
import { manifestSchema, type BackupPart, type Manifest } from '../model/manifest.ts'
import type { BackupSource, SourcePart, SourceRequest, WithBackupSource } from '../model/source.ts'
import type { Storage } from '../model/storage.ts'
import { kindOf, providerOf } from '../providers.ts'
import { keyIdOf, type Protection } from '../seal/backup-key.ts'
import { damaged } from '../seal/header.ts'
import { seal } from '../seal/seal.ts'
import { counted } from './counted.ts'

export interface BackupRequest extends SourceRequest {
  storage: Storage
  protection: Protection
}

/**
 * Backs up one state of a database. It is a backup once its manifest is stored, which is last.
 * @throws Failure of the source, of the storage
 */
export function runBackup(request: BackupRequest): Promise<Manifest> {
  return runBackupOf(providerOf(kindOf(request.url)).withSource, request)
}

/** As `runBackup`, of a source that the URL does not tell of. */
export async function runBackupOf<Request extends BackupRequest>(
  withSource: WithBackupSource<Request>,
  request: Request,
): Promise<Manifest> {
  const { storage } = request
  await storage.prepare()
  return withSource(request, async (source) => {
    const id = newBackupId(source.takenAt)
    try {
      return await store(source, id, request)
    } catch (error) {
      // What has a manifest that is not known to be ours is left alone.
      if (!isThere(error)) await removeObjects(storage, id)
      throw error
    }
  })
}

async function store(source: BackupSource, id: string, request: BackupRequest): Promise<Manifest> {
  const { storage, protection } = request
  const parts: BackupPart[] = []
  for await (const part of source.parts()) parts.push(await storePart(part, id, request))
  await refuseOtherSizes(storage, id, parts)
  const summary = await source.summary()
  const manifest: Manifest = {
    id,
    provider: source.provider,
    method: source.method,
    createdAt: source.takenAt.toISOString(),
    finishedAt: new Date().toISOString(),
    storedBytes: parts.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
    plainBytes: parts.reduce((sum, { plainBytes }) => sum + plainBytes, 0),
    keyId: keyIdOf(protection),
    versions: { outgrow: manifestOfPackage.version, server: source.server },
    parts,
    ...summary,
  }
  request.signal.throwIfAborted()
  try {
    await writeManifest(storage, manifest, protection)
  } catch (error) {
    // The answer to the first try may have been lost on its way.
    if (!isThere(error) || !(await isStored(manifest, request))) throw error
  }
  return manifest
}

async function isStored(manifest: Manifest, { storage, protection }: BackupRequest): Promise<boolean> {
  const found = await readManifest(storage, manifest.id, protection).catch(() => undefined)
  return isDeepStrictEqual(found, manifestSchema.parse(JSON.parse(JSON.stringify(manifest))))
}

function isThere(error: unknown): boolean {
  return error instanceof Failure && error.code === 'OUTGROW_STORAGE_EXISTS'
}

async function storePart(
  { name, expectedBytes, body }: SourcePart,
  id: string,
  { storage, protection, signal, onProgress }: BackupRequest,
): Promise<BackupPart> {
  const plain = { bytes: 0, digest: createHash('sha256') }
  const stored = { bytes: 0 }
  const read = counted(body, (bytes) => {
    plain.bytes += bytes.length
    plain.digest.update(bytes)
    onProgress('store', plain.bytes, expectedBytes)
  })
  const sealed = counted(seal(read, partKey(id, name), protection), ({ length }) => (stored.bytes += length))
  await storage.put(partKey(id, name), sealed, { expectedBytes, signal })
  return { name, storedBytes: stored.bytes, plainBytes: plain.bytes, digest: plain.digest.digest('hex') }
}

/** What the storage lists is what was sent. */
async function refuseOtherSizes(storage: Storage, id: string, parts: BackupPart[]): Promise<void> {
  const sizes = new Map<string, number>()
  for await (const { key, sizeBytes } of storage.list(`${id}/`)) sizes.set(key, sizeBytes)
  for (const { name, storedBytes } of parts) {
    const found = sizes.get(partKey(id, name)) ?? 0
    if (found !== storedBytes)
      throw damaged(partKey(id, name), `${storage.description} has ${found} of its ${storedBytes} bytes`)
  }
}

/** Best effort: what stays has no manifest, and prune removes it. */
async function removeObjects(storage: Storage, id: string): Promise<void> {
  try {
    await storage.remove([manifestKey(id)]) // whose answer may be what failed
    const keys: string[] = []
    for await (const { key } of storage.list(`${id}/`)) if (readKey(key)?.kind === 'part') keys.push(key)
    await storage.remove(keys)
  } catch {
    // It is the storage that failed.
  }
}
