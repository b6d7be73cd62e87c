import { chownSync, createWriteStream, mkdirSync } from 'node:fs'
import { dirname, join, normalize, sep } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { EmbeddedFolder } from '@outgrow/databases'
import { extract } from 'tar-stream'

/** Unpacks a base backup into an empty data directory, for the account of the server only. */
export async function unpackBase(
  tar: AsyncIterable<Uint8Array>,
  folder: string,
  owner: EmbeddedFolder['owner'],
): Promise<void> {
  const own = (path: string) => owner && chownSync(path, owner.uid, owner.gid)
  mkdirSync(folder, { mode: 0o700 })
  own(folder)
  const entries = extract()
  const fed = pipeline(Readable.from(tar), entries)
  fed.catch(() => {}) // it ends the entries with its error
  for await (const entry of entries) {
    const { name, type } = entry.header
    const path = join(folder, normalize(name))
    if (!`${path}${sep}`.startsWith(`${folder}${sep}`))
      throw new Error(`not a path of a base backup: ${name}`)
    if (type === 'directory') {
      mkdirSync(path, { recursive: true, mode: 0o700 })
      own(path)
      entry.resume()
    } else if (type === 'file') {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      await pipeline(entry, createWriteStream(path, { mode: 0o600 }))
      own(path)
    } else throw new Error(`a base backup has no ${type}: ${name}`)
  }
  await fed
}
