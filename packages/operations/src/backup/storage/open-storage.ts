import { fileURLToPath } from 'node:url'
import { Failure } from '@outgrow/kit'
import { isBackupId } from '../model/keys.ts'
import type { Storage } from '../model/storage.ts'
import { FolderStorage } from './folder.ts'

/**
 * The storage that a location names: a folder, or `s3://bucket/prefix`.
 * @throws Failure OUTGROW_OPTION_INVALID
 */
export async function openStorage(location: string): Promise<Storage> {
  if (/^file:\/\//i.test(location)) return new FolderStorage(fileURLToPath(location))
  if (!/^[a-z][a-z0-9+.-]+:/i.test(location)) return new FolderStorage(location)
  const named = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,62})(?:\/(.*))?$/i.exec(location)
  const prefix = (named?.[2] ?? '').replaceAll(/^\/+|\/+$/g, '')
  if (named && /^[\w./-]*$/.test(prefix)) {
    // Loaded when it is asked for: the SDK takes as long as all the rest of a small command.
    const { S3Storage } = await import('./s3.ts')
    return new S3Storage(named[1] as string, prefix)
  }
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `${/^[a-z0-9+.-]+:/i.exec(location)?.[0] ?? 'This'} is not a location of backups.`,
    why: 'They are stored in a folder, or in a bucket whose keys and endpoint come from AWS’ environment variables.',
    fix: 'Pass a folder, such as /var/backups/app, or s3://bucket/prefix.',
  })
}

/** A location that may end with the id of a backup: `s3://bucket/app/20261126T171500Z-9f3a61c0`. */
export function splitLocation(text: string): { location: string; id: string | undefined } {
  const [, location = text, last] = /^(.*?)\/([^/]+)\/?$/.exec(text) ?? []
  if (last !== undefined && isBackupId(last)) return { location: location === '' ? '/' : location, id: last }
  return isBackupId(text) ? { location: '.', id: text } : { location: text, id: undefined }
}
