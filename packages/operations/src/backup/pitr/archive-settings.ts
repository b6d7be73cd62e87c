import { chownSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EmbeddedFolder } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { z } from 'zod'
import { readBackupKey } from '../seal/backup-key.ts'
import { openStorage, parseLocation } from '../storage/open-storage.ts'
import { refuseTemporaryCredentials } from '../storage/temporary-credentials.ts'
import type { WalStore } from './archive-file.ts'

/**
 * What the programs that the server starts need to reach the storage. The server hands down its own environment, which
 * depends on who started it: so the key and the credentials are in a file, for the account of the server only.
 */
const archiveSettings = z.object({
  /** A folder, or s3://bucket/prefix. */
  location: z.string(),
  archive: z.string().regex(/^[\w-]+$/),
  isEncrypted: z.boolean(),
  /** OUTGROW_BACKUP_KEY, and the variables of AWS. */
  environment: z.record(z.string(), z.string()),
})

export type ArchiveSettings = z.infer<typeof archiveSettings>

/** Where a cluster's settings are. */
export function archiveSettingsFile({ directory }: Pick<EmbeddedFolder, 'directory'>): string {
  return join(directory, 'archive.json')
}

/** Undefined where the cluster does not archive. */
export function findArchiveSettings(folder: Pick<EmbeddedFolder, 'directory'>): ArchiveSettings | undefined {
  const file = archiveSettingsFile(folder)
  return existsSync(file) ? readArchiveSettings(file) : undefined
}

/** @throws Failure OUTGROW_ARCHIVE_SETTINGS */
export function readArchiveSettings(file: string): ArchiveSettings {
  const settings = archiveSettings.safeParse(parsed(readFileSync(file, 'utf8')))
  if (settings.success) return settings.data
  throw new Failure({
    code: 'OUTGROW_ARCHIVE_SETTINGS',
    message: `${file} was not written by this version of Outgrow, or is damaged.`,
    why: 'It names the storage that WAL is archived to, and its key.',
    fix: 'Run `outgrow backup init` again.',
  })
}

/** Nobody but the account of the server may read it, at any moment. */
export function writeSecretFile(file: string, text: string, owner: EmbeddedFolder['owner']): void {
  const partial = `${file}.${process.pid}`
  writeFileSync(partial, text, { mode: 0o600, flush: true })
  if (owner) chownSync(partial, owner.uid, owner.gid)
  renameSync(partial, file)
}

/**
 * What of the environment the programs need for that location. A folder is named from the root on.
 * @throws Failure OUTGROW_OPTION_INVALID
 */
export function settingsFromEnvironment(
  location: string,
  isEncrypted: boolean,
  env: Record<string, string | undefined> = process.env,
): Omit<ArchiveSettings, 'archive'> {
  if (isEncrypted) readBackupKey(env)
  const named = parseLocation(location)
  const isBucket = named.kind === 's3'
  if (isBucket) refuseTemporaryCredentials(env)
  const names = Object.keys(env).filter(
    (name) => (isEncrypted && name === 'OUTGROW_BACKUP_KEY') || (isBucket && name.startsWith('AWS_')),
  )
  return {
    location: named.kind === 's3' ? location : named.path,
    isEncrypted,
    environment: Object.fromEntries(names.map((name) => [name, env[name] ?? ''])),
  }
}

/** The storage as a program of the server sees it. */
export async function openWalStore(settings: ArchiveSettings): Promise<WalStore> {
  Object.assign(process.env, settings.environment)
  const protection = settings.isEncrypted ? readBackupKey(settings.environment) : 'unencrypted'
  return { storage: await openStorage(settings.location), protection }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
