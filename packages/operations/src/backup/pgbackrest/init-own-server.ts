import { readBackupKey } from '../seal/backup-key.ts'
import { readOwnServer } from './own-server.ts'
import { planPgBackrest } from './plan.ts'
import { repositoryAt } from './repository.ts'
import { planWrites, writeFiles } from './write-plan.ts'

export interface InitOwnServerRequest {
  /** Of a superuser of the server. */
  url: string
  /** A folder of the server, or s3://bucket/prefix. */
  location: string
  isEncrypted: boolean
  stanza: string
  /** Where pgbackrest.conf will lie on the server. */
  configPath: string
  /** Folder for the files. */
  folder: string
  /** Only tells what would be written. */
  dryRun: boolean
}

export interface InitOwnServerResult {
  /** Of the files, in the folder. */
  files: string[]
  /** Settings that take effect with the next start of the server. */
  restart: string[]
  notes: string[]
}

/**
 * Writes all files that make an own server archive with pgBackRest. The server is only read.
 * @throws Failure OUTGROW_BACKUP_MANAGED, OUTGROW_BACKUP_ROLE, OUTGROW_BACKUP_SERVER_VERSION, OUTGROW_BACKUP_KEY_MISSING,
 *   OUTGROW_BACKUP_KEY_CHANGED, OUTGROW_BACKUP_FILE_THERE, OUTGROW_OPTION_INVALID
 */
export async function initOwnServer(request: InitOwnServerRequest): Promise<InitOwnServerResult> {
  const { url, location, isEncrypted, stanza, configPath, folder, dryRun } = request
  if (isEncrypted) readBackupKey()
  const repository = repositoryAt(location)
  const plan = planPgBackrest(await readOwnServer(url), {
    repository,
    passphrase: isEncrypted ? process.env.OUTGROW_BACKUP_KEY?.trim() : undefined,
    stanza,
    configPath,
    keepFull: 4,
    queueGib: 4,
  })
  const writes = planWrites(plan.files, folder)
  if (!dryRun) writeFiles(writes)
  return { files: writes.map(({ path }) => path), restart: plan.restart, notes: plan.notes }
}
