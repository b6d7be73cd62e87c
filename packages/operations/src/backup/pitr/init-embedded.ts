import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  embeddedFolder,
  hasEmbeddedPostgres,
  quoteLiteral,
  startEmbeddedPostgres,
  withPostgres,
  type EmbeddedPostgres,
  type PostgresClient,
} from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { newBackupId } from '../model/keys.ts'
import type { Manifest } from '../model/manifest.ts'
import {
  archiveSettingsFile,
  findArchiveSettings,
  settingsFromEnvironment,
  writeSecretFile,
  type ArchiveSettings,
} from './archive-settings.ts'
import { probeArchive } from './probe-archive.ts'
import { serverCommand } from './server-command.ts'
import { takeBase, type TakeBaseRequest } from './take-base.ts'

export interface InitEmbeddedRequest extends TakeBaseRequest {
  /** A folder, or s3://bucket/prefix. */
  location: string
  isEncrypted: boolean
  /** Only tells what would be done. */
  dryRun: boolean
}

export interface InitEmbeddedResult {
  archive: string
  location: string
  /** What the server is set to. */
  settings: { name: string; value: string }[]
  /** Whether the server is, or would be, restarted. */
  restarts: boolean
  /** The first base backup; undefined after a dry run. */
  base: Manifest | undefined
}

/**
 * Has the work folder's embedded server archive its WAL, sealed, and takes the first base backup.
 * @throws Failure OUTGROW_ARCHIVE_NO_SERVER, OUTGROW_TABLESPACES, OUTGROW_ARCHIVE_UNUSABLE; the server is as it was then.
 *   OUTGROW_ARCHIVE_FAILING: it archives, or tries to, but there is no base backup
 */
export async function initEmbedded(request: InitEmbeddedRequest): Promise<InitEmbeddedResult> {
  const { workDir, location, isEncrypted, dryRun, signal } = request
  const directory = join(resolve(workDir), 'postgres')
  if (!hasEmbeddedPostgres(directory)) throw noServer(workDir)
  const fromEnvironment = settingsFromEnvironment(location, isEncrypted)
  const server = await startEmbeddedPostgres({ directory })
  const folder = embeddedFolder(directory)
  const file = archiveSettingsFile(folder)
  return withPostgres(server.url, async (client) => {
    await refuseTablespaces(client)
    const state = await readArchiver(client)
    const known = findArchiveSettings(folder)
    const keeps = known !== undefined && !state.isFailing && isSame(known, fromEnvironment)
    const settings = { ...fromEnvironment, archive: keeps ? known.archive : newBackupId(new Date()) }
    const restarts = !state.isOn
    const command = serverCommand('archive-wal', file)
    const values = [
      { name: 'archive_mode', value: 'on' },
      { name: 'archive_command', value: command },
      { name: 'archive_timeout', value: '60s' },
    ]
    const planned = { archive: settings.archive, location: settings.location, settings: values, restarts }
    if (dryRun) return { ...planned, base: undefined }
    const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined
    writeSecretFile(file, JSON.stringify(settings), folder.owner)
    try {
      await probeArchive(settings, file, folder, signal)
    } catch (error) {
      if (before === undefined) rmSync(file)
      else writeSecretFile(file, before, folder.owner)
      throw error
    }
    for (const { name, value } of values)
      await client.query(`ALTER SYSTEM SET ${name} = ${quoteLiteral(value)}`)
    await client.query('SELECT pg_reload_conf()')
    if (restarts) await restart(server, directory)
    else await waitForCommand(client, command, signal)
    return { ...planned, base: await takeBase(request) }
  })
}

export function noServer(workDir: string): Failure {
  return new Failure({
    code: 'OUTGROW_ARCHIVE_NO_SERVER',
    message: `${workDir} has no embedded PostgreSQL.`,
    fix: 'Name the work folder with --work-dir, or pass the URL of your own server with --database.',
  })
}

async function restart(server: EmbeddedPostgres, directory: string): Promise<void> {
  await server.stop('fast')
  await startEmbeddedPostgres({ directory, port: Number(new URL(server.url).port) })
}

/** A server reads its settings a moment after it was told to, and its sessions after it did. */
async function waitForCommand(client: PostgresClient, command: string, signal: AbortSignal): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { rows } = await client.query<{ now: string }>("SELECT current_setting('archive_command') AS now")
    if (rows[0]?.now === command) return
    await sleep(50, undefined, { signal })
  }
}

async function readArchiver(client: PostgresClient): Promise<{ isOn: boolean; isFailing: boolean }> {
  const { rows } = await client.query<{ isOn: boolean; isFailing: boolean }>(
    `SELECT current_setting('archive_mode') <> 'off' AS "isOn",
       coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) AS "isFailing" FROM pg_stat_archiver`,
  )
  return rows[0] ?? { isOn: false, isFailing: false }
}

/** Another key or another place begins another archive. */
function isSame(known: ArchiveSettings, now: Omit<ArchiveSettings, 'archive'>): boolean {
  return (
    known.location === now.location &&
    known.isEncrypted === now.isEncrypted &&
    known.environment.OUTGROW_BACKUP_KEY === now.environment.OUTGROW_BACKUP_KEY
  )
}

async function refuseTablespaces(client: PostgresClient): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT spcname AS name FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')",
  )
  if (rows.length === 0) return
  throw new Failure({
    code: 'OUTGROW_TABLESPACES',
    message: `The server keeps files outside of its data directory, in ${rows.map(({ name }) => name).join(', ')}.`,
    why: 'A base backup is one archive of the data directory.',
    fix: 'Move their tables back with ALTER TABLE … SET TABLESPACE pg_default, and drop the tablespaces.',
  })
}
