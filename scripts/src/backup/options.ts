import type { Command } from 'commander'
import { openStorage, readBackupKey, splitLocation, type Protection, type Storage } from '@outgrow/operations'
import { Failure } from '@outgrow/kit'
import { project } from '../project.ts'

/** What every command of backups takes. */
export interface BackupOptions {
  from?: string
  unencrypted?: boolean
  workDir: string
  json?: boolean
}

/** Adds what the commands take that read a storage. */
export function withStorage(command: Command): Command {
  return command
    .option('--from <location>', 'folder or s3://bucket/prefix of the backups (default: OUTGROW_BACKUP_TO)')
    .option('--json', 'print one JSON document on stdout')
}

/** Adds what the commands take that make backups. */
export function withDestination(command: Command): Command {
  return command
    .option('--database <url>', 'file: or postgresql: URL (default: DATABASE_URL)')
    .option('--to <location>', 'a folder, or s3://bucket/prefix (default: OUTGROW_BACKUP_TO)')
    .option('--unencrypted', 'store what everybody can read who can read the storage')
    .option('--work-dir <folder>', 'for the copy of an SQLite file while it is stored', '.outgrow')
    .option('--json', 'print one JSON document on stdout')
}

/** Adds what the commands take that open backups. */
export function withKey(command: Command): Command {
  return command
    .option('--unencrypted', 'the backups were made with --unencrypted')
    .option('--work-dir <folder>', 'for files that live as long as the run', '.outgrow')
}

/** How backups are protected; a key that is set goes before nothing. @throws Failure OUTGROW_BACKUP_KEY_MISSING, OUTGROW_BACKUP_KEY_INVALID */
export function protectionOf({ unencrypted = false }: { unencrypted?: boolean }): Protection {
  return unencrypted ? 'unencrypted' : readBackupKey()
}

/**
 * The storage that an option, the environment or the configuration names, and the backup in it.
 * @throws Failure OUTGROW_OPTION_INVALID
 */
export async function storageOf(
  option: '--to' | '--from',
  given: string | undefined,
): Promise<{ storage: Storage; id: string | undefined }> {
  const text = given ?? (await configuredLocation())
  if (text === undefined) {
    throw new Failure({
      code: 'OUTGROW_OPTION_INVALID',
      message: 'No location of backups was given.',
      fix: `Pass ${option} with a folder or s3://bucket/prefix, or set OUTGROW_BACKUP_TO.`,
    })
  }
  const { location, id } = splitLocation(text)
  return { storage: await openStorage(location), id }
}

/** Where the environment, or else the configuration, says that backups are. */
export async function configuredLocation(): Promise<string | undefined> {
  const set = process.env.OUTGROW_BACKUP_TO?.trim()
  return set === undefined || set === '' ? (await project()).backup?.to : set
}

/** A Postgres on whose server a drill may make its scratch database; the embedded one is started without. */
export function drillServer(given: string | undefined): string | undefined {
  return given ?? (process.env.OUTGROW_DRILL_SERVER || undefined)
}
