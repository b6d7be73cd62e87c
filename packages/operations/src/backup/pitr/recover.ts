import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  embeddedFolder,
  embeddedState,
  quoteLiteral,
  startEmbeddedPostgres,
  stateDirectory,
  stopEmbeddedPostgres,
  withPostgres,
  type EmbeddedFolder,
  type EmbeddedPostgres,
} from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { BackupProgress } from '../model/source.ts'
import { openParts } from '../runs/open-parts.ts'
import { refuseLessThan, workDirFailure } from '../sqlite/disk-full.ts'
import { collect } from '../seal/sealed-document.ts'
import type { WalStore } from './archive-file.ts'
import { writeSecretFile } from './archive-settings.ts'
import { baseParts } from './base-details.ts'
import { chooseBase, readCoverage, type ChosenBase, type Coverage } from './coverage.ts'
import { probeRestore } from './probe-restore.ts'
import { recoveryFailure } from './recovery-failure.ts'
import { serverCommand } from './server-command.ts'
import { unpackBase } from './unpack-base.ts'
import { nextSegment, walKey } from './wal-files.ts'
import { WalServer } from './wal-server.ts'

export interface RecoverRequest extends WalStore {
  /** The base backup to begin with; the newest that serves without. */
  id: string | undefined
  /** To which time; all that was archived without. */
  at: Date | undefined
  /** The work folder that gets the server; must have none. */
  workDir: string
  /** Off for a server that is only tried: nothing is written through to the disk then. */
  isDurable?: boolean
  signal: AbortSignal
  onProgress: BackupProgress
}

export interface Recovered {
  server: EmbeddedPostgres
  base: ChosenBase
  /** Time of the last transaction that is in it; null when there was none since the base backup. */
  lastCommitAt: Date | null
  /** Of WAL, as far as they were needed. */
  segments: number
  ms: number
}

/**
 * Restores an embedded server to a time: its files, then the WAL from then on. It runs afterwards, and does not archive.
 * When it fails, the work folder has no server, as before.
 * @throws Failure OUTGROW_RESTORE_NOT_EMPTY, OUTGROW_BACKUP_NOT_FOUND, OUTGROW_RECOVERY_RANGE, OUTGROW_WAL_GAP,
 *   OUTGROW_BACKUP_DAMAGED, OUTGROW_RECOVERY_FAILED, OUTGROW_RECOVERY_ACCOUNT, OUTGROW_RECOVERY_STOPPED, OUTGROW_DISK_FULL
 */
export async function recover(request: RecoverRequest): Promise<Recovered> {
  const started = performance.now()
  const { storage, protection, at, isDurable = true, signal, onProgress } = request
  const base = chooseBase(await readCoverage(request, request.id, signal), at, storage.description)
  const asked = join(stateDirectory(request.workDir), 'postgres')
  const folder = embeddedFolder(asked)
  refuseCluster(folder)
  const openPart = openParts(storage, base.manifest, protection, signal)
  const lastOfChain = base.chain.at(-1) ?? ''
  const wal = await WalServer.listen({ storage, protection, ...base.details, lastOfChain }, folder.owner)
  const recovery: Recovery = { folder, asked, base, wal, isDurable, signal, onProgress }
  try {
    mkdirSync(folder.directory, { recursive: true, mode: 0o755 })
    if (folder.owner) chownSync(folder.directory, folder.owner.uid, folder.owner.gid)
    await probeRestore(wal, folder.owner, signal)
    // Of WAL, the server keeps what it replays and what it writes next.
    refuseLessThan(base.manifest.plainBytes + 3 * base.details.segmentBytes, folder.directory)
    await unpackBase(shown(openPart(baseParts.files), base, onProgress), folder.dataDirectory, folder.owner)
    const password = await collect(openPart(baseParts.password))
    writeSecretFile(join(folder.directory, 'password'), password.toString(), folder.owner)
    const server = await replay(recovery, at)
    const lastCommitAt = await finish(server)
    await server.stop('fast')
    const restarted = await startEmbeddedPostgres({
      directory: asked,
      port: Number(new URL(server.url).port),
    })
    return {
      server: restarted,
      base,
      lastCommitAt,
      segments: base.chain.indexOf(wal.restored ?? '') + 1,
      ms: performance.now() - started,
    }
  } catch (error) {
    await discard(asked, folder)
    signal.throwIfAborted()
    throw workDirFailure(folder.directory, error)
  } finally {
    wal.close()
  }
}

interface Recovery {
  folder: EmbeddedFolder
  /** Folder of the cluster as it is asked for. */
  asked: string
  base: Coverage
  wal: WalServer
  isDurable: boolean
  signal: AbortSignal
  onProgress: BackupProgress
}

/** Replays WAL up to the time, or all of it where nothing was committed between the last of it and that time. */
async function replay(recovery: Recovery, at: Date | undefined): Promise<EmbeddedPostgres> {
  const { folder, base, wal } = recovery
  configure(folder, [
    `restore_command = ${quoteLiteral(serverCommand('restore-wal', wal.socket))}`,
    // Of its archive there is one timeline.
    "recovery_target_timeline = 'current'",
    "recovery_target_action = 'promote'",
    // The archive belongs to the server that is in the backup.
    'archive_mode = off',
    "archive_command = ''",
    ...(at === undefined
      ? []
      : [`recovery_target_time = '${at.toISOString().replace('T', ' ').replace('Z', '+00')}'`]),
  ])
  writeSecretFile(join(folder.dataDirectory, 'recovery.signal'), '', folder.owner)
  const logged = sizeOf(join(folder.directory, 'server.log'))
  try {
    const server = await start(recovery)
    if (at === undefined) refuseEarlyEnd(base, wal.missing)
    return server
  } catch (error) {
    if (wal.problem !== undefined) throw wal.problem
    const log = readFileSync(join(folder.directory, 'server.log'), 'utf8').slice(logged)
    if (at === undefined || !log.includes('recovery ended before configured recovery target was reached'))
      throw recoveryFailure(error, log, folder.directory)
    refuseEarlyEnd(base, wal.missing)
    configure(folder, ["recovery_target_time = ''"])
    return start(recovery)
  }
}

async function start({
  asked,
  base,
  wal,
  isDurable,
  signal,
  onProgress,
}: Recovery): Promise<EmbeddedPostgres> {
  const { chain, details } = base
  const total = chain.length * details.segmentBytes
  const watch = setInterval(() => {
    const done = wal.restored === undefined ? 0 : chain.indexOf(wal.restored) + 1
    onProgress('replay WAL', done * details.segmentBytes, total)
  }, 250)
  try {
    // It begins to recover, and takes connections once it is done.
    const settings = ['hot_standby=off', `fsync=${isDurable ? 'on' : 'off'}`]
    const server = await startEmbeddedPostgres({ directory: asked, settings, waitSeconds: 3600, signal })
    for (let state = embeddedState(asked); state !== 'ready'; state = embeddedState(asked)) {
      if (state === 'stopped') throw new Error('the server stopped')
      await sleep(50, undefined, { signal })
    }
    return server
  } finally {
    clearInterval(watch)
  }
}

/** Whether the server read all there is: it takes damage within a segment for the end of the WAL. */
function refuseEarlyEnd({ chain, details }: Coverage, missing: string | undefined): void {
  const last = chain.at(-1) ?? ''
  if (missing === nextSegment(last, details.segmentBytes)) return
  throw new Failure({
    code: 'OUTGROW_RECOVERY_FAILED',
    message: `Recovery ended before ${walKey(details.archive, last)}, the last WAL in the archive${missing === undefined ? '' : `: the server asked for ${missing}`}.`,
    why: 'The server could not read further, so later changes would be missing.',
    fix: 'Restore to an earlier time with --at, and report this.',
  })
}

/** Takes the settings of recovery back, for the next start. */
async function finish(server: EmbeddedPostgres): Promise<Date | null> {
  return withPostgres(server.url, async (client) => {
    const { rows } = await client.query<{ at: Date | null; recovers: boolean }>(
      'SELECT pg_last_xact_replay_timestamp() AS at, pg_is_in_recovery() AS recovers',
    )
    if (rows[0]?.recovers !== false) throw new Error('the server is still in recovery')
    for (const name of [
      'restore_command',
      'recovery_target_timeline',
      'recovery_target_action',
      'recovery_target_time',
      'archive_mode',
      'archive_command',
    ])
      await client.query(`ALTER SYSTEM RESET ${name}`)
    return rows[0].at
  })
}

/** Of settings that are there twice, the server takes the last. */
function configure({ dataDirectory }: EmbeddedFolder, lines: string[]): void {
  appendFileSync(join(dataDirectory, 'postgresql.auto.conf'), `${lines.join('\n')}\n`)
}

function refuseCluster({ directory }: EmbeddedFolder): void {
  if (!existsSync(directory) || readdirSync(directory).length === 0) return
  throw new Failure({
    code: 'OUTGROW_RESTORE_NOT_EMPTY',
    message: `${directory} already holds an embedded PostgreSQL, or what is left of one.`,
    why: 'A server is restored beside what is there, never over it.',
    fix: 'Stop it (outgrow postgres stop) and move the folder away, or restore into another work folder.',
  })
}

async function discard(asked: string, { directory }: EmbeddedFolder): Promise<void> {
  await stopEmbeddedPostgres(asked, 'immediate')
  rmSync(directory, { recursive: true, force: true })
}

async function* shown(
  body: AsyncIterable<Uint8Array>,
  { manifest }: Coverage,
  onProgress: BackupProgress,
): AsyncIterable<Uint8Array> {
  let done = 0
  for await (const bytes of body) {
    yield bytes
    done += bytes.length
    onProgress('restore files', done, manifest.plainBytes)
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
