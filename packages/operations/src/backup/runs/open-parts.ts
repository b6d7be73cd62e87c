import { createHash } from 'node:crypto'
import { partKey } from '../model/keys.ts'
import type { Manifest } from '../model/manifest.ts'
import type { OpenPart } from '../model/source.ts'
import type { Storage } from '../model/storage.ts'
import type { Protection } from '../seal/backup-key.ts'
import { damaged } from '../seal/header.ts'
import { unseal } from '../seal/seal.ts'

/** Opens the parts of a backup; each is checked against its digest when it ends. */
export function openParts(
  storage: Storage,
  { id, parts }: Manifest,
  protection: Protection,
  signal: AbortSignal,
): OpenPart {
  return async function* (name) {
    const part = parts.find((one) => one.name === name)
    if (!part) throw new Error(`the backup has no part ${name}`)
    const key = partKey(id, name)
    const digest = createHash('sha256')
    for await (const bytes of unseal(storage.get(key, signal), key, protection)) {
      digest.update(bytes)
      yield bytes
    }
    if (digest.digest('hex') !== part.digest) throw damaged(key, 'its digest is another than its manifest’s')
  }
}
