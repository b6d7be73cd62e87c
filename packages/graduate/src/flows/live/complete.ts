import { createHash } from 'node:crypto'
import { createReadStream, existsSync, realpathSync, renameSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import {
  copySqliteFile,
  listProcesses,
  openSqliteForLock,
  parsePostgresUrl,
  parseSqliteSource,
  runStatements,
  type ApplicationProcess,
} from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { dieAt } from '../../die-at.ts'
import { GraduationLedger, graduationRun, type Graduation } from '../../ledger/graduation.ts'
import { lockTarget } from '../../ledger/run-lock.ts'
import { uncapture } from '../../source/sqlite/live/capture.ts'
import { LiveFile } from '../../source/sqlite/live/live-file.ts'
import { prepareReturn } from '../../source/sqlite/live/put-aside.ts'
import { sameOwner } from '../../source/sqlite/live/same-owner.ts'
import { putTombstone } from '../../source/sqlite/live/tombstone.ts'
import { Ledger } from '../../ledger/ledger.ts'
import { giveAuthority } from '../../steps/live/give-authority.ts'
import { inHomes } from '../../steps/live/in-homes.ts'
import { livingProcesses } from '../../steps/live/obstacles.ts'
import type { LiveSession } from '../../steps/live/session.ts'
import { connectForRun } from '../../target/postgres/connect.ts'
import { dropCaptureBackSql, endCaptureBack } from '../../target/postgres/live/end-capture-back.ts'
import { withLocks } from '../../target/postgres/locks.ts'
import { hashOnServer } from '../../target/postgres/hash-on-server.ts'
import { PostgresTarget } from '../../target/postgres/postgres-target.ts'

/** The file as it was at the switch, kept. */
export interface Archive {
  path: string
  sha256: string
}

/**
 * Ends a graduation: the file is kept beside its place with its digest, what is left in its place says where the rows are,
 * and Postgres stops logging for a way back. The commit that says in the file that it is completed ends the way back; what
 * comes after it is done again by whoever goes on after a crash.
 * @throws Failure OUTGROW_CUTOVER_BLOCKED where a process cannot reach the target
 */
export async function completeGraduation(session: LiveSession, leavesBehind: boolean): Promise<Archive> {
  const { file, graduation, signal } = session
  const behind = livingProcesses(listProcesses(file.reader)).filter(({ reaches }) => reaches !== true)
  if (behind.length > 0 && !leavesBehind) throw leftBehind(behind)
  const archive = await archived(session)
  dieAt('archived')
  const epoch = graduation.epoch + 1
  // A change of the schema has every process look at the authority once more.
  await file.write((database) => {
    giveAuthority(file, { side: 'postgres', epoch, state: 'completed' })
    database.exec(`CREATE TABLE _outgrow_completed (at TEXT); DROP TABLE _outgrow_completed`)
  }, signal)
  dieAt('authority-completed')
  await endCompleted(session)
  return archive
}

/**
 * Goes on with a completion that ended before its end.
 * @returns undefined where none did
 */
export async function finishCompletion({
  from,
  to,
  signal,
}: {
  from: string
  to: string
  signal: AbortSignal
}): Promise<{ graduation: string; archive: Archive } | undefined> {
  const { path } = parseSqliteSource(from)
  using file = new LiveFile(path)
  const { authority } = file
  if (authority?.state !== 'completed') return undefined
  const client = await connectForRun(parsePostgresUrl(to), signal)
  try {
    await lockTarget(client)
    const staging = await graduationRun(client, authority.graduation)
    if (staging === undefined) return undefined
    const ledger = new GraduationLedger(client, staging)
    if (!(await ledger.exists())) return undefined
    const graduation = await ledger.read()
    const tables = inHomes(graduation.tables, staging)
    const target = new PostgresTarget(client, hashOnServer)
    const archive = { path: archivePath(path, graduation), sha256: '' }
    if (existsSync(archive.path)) archive.sha256 = await digestOf(archive.path, signal)
    await endCompleted({ file, target, ledger, staging, tables, signal })
    return { graduation: graduation.name, archive }
  } finally {
    await client.end()
  }
}

/** What is left to do once the file says that it is completed. */
async function endCompleted({
  file,
  target,
  ledger,
  staging,
  tables,
  signal,
}: Pick<LiveSession, 'file' | 'target' | 'ledger' | 'staging' | 'tables' | 'signal'>): Promise<void> {
  const { authority } = file
  if (authority) {
    putTombstone(
      file.path,
      authority,
      tables.map(({ planned }) => planned.source.name),
    )
  }
  dieAt('tombstone-placed')
  const { client } = target
  const log = { schema: ledger.schema, record: ledger.table }
  await endCaptureBack(client, log, tables, signal)
  await withLocks(client, [ledger.schema], async () => {
    await runStatements(client, dropCaptureBackSql(log, tables))
    await new Ledger(client, staging).publish(staging, { tables: [], findings: [], fixes: [] }, [])
  })
}

/** A plain SQLite file of the rows as they were at the switch, or when the file last followed. */
async function archived({ file, graduation, signal, progress }: LiveSession): Promise<Archive> {
  const path = archivePath(file.path, graduation)
  if (!existsSync(path)) {
    const part = `${path}.part`
    await copySqliteFile(file.path, part, {
      signal,
      onPages: (rows, totalRows) => progress({ step: 'archive', rows, bytes: 0, totalRows }),
    })
    const database = openSqliteForLock(part)
    try {
      const names = prepareReturn(database, { capture: false })
      database.exec('BEGIN IMMEDIATE')
      names.apply(database)
      database.exec('COMMIT')
      uncapture(database)
      database.pragma('wal_checkpoint(TRUNCATE)')
      database.pragma('journal_mode = DELETE')
    } finally {
      database.close()
    }
    sameOwner(part, file.path)
    renameSync(part, path)
  }
  return { path, sha256: await digestOf(path, signal) }
}

/** Each switch has an archive of its own: one of an earlier switch is not what the file had when it was completed. */
function archivePath(path: string, { name, epoch }: Pick<Graduation, 'name' | 'epoch'>): string {
  return `${realpathSync(path)}.graduated-${name}${epoch > 2 ? `-${epoch}` : ''}`
}

async function digestOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash, { signal })
  return hash.digest('hex')
}

function leftBehind(processes: ApplicationProcess[]): Failure {
  const named = processes.map(
    ({ name, pid, host, problem }) =>
      `${name} (process ${pid} on ${host}) ${problem ?? 'has not connected to the target'}`,
  )
  return new Failure({
    code: 'OUTGROW_CUTOVER_BLOCKED',
    message: `The graduation was not completed: ${named.join('; ')}.`,
    why: 'These processes opened the file and cannot reach Postgres: after this there is nothing for them to open.',
    fix: 'Set POSTGRES_URL for them and restart them, or pass --leave-behind.',
  })
}
