import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Failure } from '@outgrow/kit'
import { isBackupId } from '../model/keys.ts'
import type { Storage } from '../model/storage.ts'
import { FolderStorage } from './folder.ts'

/** Where backups are: a folder from the root on, or a place in a bucket. */
export type Location = { kind: 'folder'; path: string } | { kind: 's3'; bucket: string; prefix: string }

/**
 * What a location names: a folder, or `s3://bucket/prefix`.
 * @throws Failure OUTGROW_OPTION_INVALID
 */
export function parseLocation(text: string): Location {
  const location = text.trim() // a folder or a bucket that differs by a space was never meant
  if (location === '') throw noLocation('An empty text')
  const scheme = /^[a-z][a-z0-9+.-]+:/i.exec(location)?.[0].toLowerCase()
  switch (scheme) {
    case undefined:
      return { kind: 'folder', path: resolve(location) }
    case 'file:':
      return { kind: 'folder', path: folderOf(location) }
    case 's3:': {
      const named = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,62})(?:\/(.*))?$/i.exec(location)
      const prefix = (named?.[2] ?? '').replaceAll(/^\/+|\/+$/g, '')
      if (named?.[1] === undefined || !isPrefix(prefix)) throw noLocation(scheme)
      return { kind: 's3', bucket: named[1], prefix }
    }
    default:
      throw noLocation(scheme)
  }
}

/** @throws Failure OUTGROW_OPTION_INVALID */
export async function openStorage(location: string): Promise<Storage> {
  const named = parseLocation(location)
  if (named.kind === 'folder') return new FolderStorage(named.path)
  // Loaded when it is asked for: the SDK takes as long as all the rest of a small command.
  const { S3Storage } = await import('./s3.ts')
  return new S3Storage(named.bucket, named.prefix)
}

/** A URL of a file is of one from the root on: `file:./backups` would be `/backups`, and `file://backups` names a computer. */
function folderOf(location: string): string {
  if (/^file:\/\/(localhost)?\//i.test(location)) {
    try {
      return fileURLToPath(location)
    } catch {
      throw noLocation('file:') // as of %2F or a bad %
    }
  }
  throw noLocation('file:')
}

function noLocation(scheme: string): Failure {
  return new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `${scheme} does not name a location of backups here.`,
    why: 'They are stored in a folder, or in a bucket whose keys and endpoint come from AWS’ environment variables.',
    fix: 'Pass a folder, such as /var/backups/app, or s3://bucket/prefix.',
  })
}

/** Without the names that mean another place to a file system, and to some of the compatible ones. */
function isPrefix(text: string): boolean {
  return text === '' || text.split('/').every((name) => /^[\w.-]+$/.test(name) && !/^\.+$/.test(name))
}

/** A location that may end with the id of a backup: `s3://bucket/app/20261126T171500Z-9f3a61c0`. */
export function splitLocation(given: string): { location: string; id: string | undefined } {
  const text = given.trim()
  const [, location = text, last] = /^(.*?)\/([^/]+)\/?$/.exec(text) ?? []
  if (last !== undefined && isBackupId(last)) return { location: location === '' ? '/' : location, id: last }
  return isBackupId(text) ? { location: '.', id: text } : { location: text, id: undefined }
}
