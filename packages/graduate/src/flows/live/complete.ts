import { createHash } from 'node:crypto'
import { createReadStream, existsSync, realpathSync, renameSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { listProcesses, openSqliteForLock, runStatements, type ApplicationProcess } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { dieAt } from '../../die-at.ts'
import { copySqliteFile } from '../../source/sqlite/copy-file.ts'
import { uncapture } from '../../source/sqlite/live/capture.ts'
import { prepareReturn } from '../../source/sqlite/live/put-aside.ts'
import { sameOwner } from '../../source/sqlite/live/same-owner.ts'
import { putTombstone } from '../../source/sqlite/live/tombstone.ts'
import { Ledger } from '../../ledger/ledger.ts'
import { giveAuthority } from '../../steps/live/give-authority.ts'
import { livingProcesses } from '../../steps/live/obstacles.ts'
import type { LiveSession } from '../../steps/live/session.ts'
import { dropCaptureBackSql, endCaptureBack } from '../../target/postgres/live/end-capture-back.ts'
import { withLocks } from '../../target/postgres/locks.ts'

/** The file as it was at the switch, kept. */
export interface Archive {
  path: string
  sha256: string
}

/**
 * Ends a graduation: Postgres stops logging for a way back, the file is kept beside its place with its digest, and what is
 * left in its place says where the rows are.
 * @throws Failure OUTGROW_CUTOVER_BLOCKED where a process cannot reach the target
 */
export async function completeGraduation(session: LiveSession, leavesBehind: boolean): Promise<Archive> {
  const { file, target, ledger, staging, graduation, tables, signal } = session
  const behind = livingProcesses(listProcesses(file.reader)).filter(({ reaches }) => reaches !== true)
  if (behind.length > 0 && !leavesBehind) throw leftBehind(behind)
  const archive = await archived(session)
  dieAt('archived')
  const { client } = target
  const log = { schema: ledger.schema, record: ledger.table }
  await endCaptureBack(client, log, tables, signal)
  await withLocks(client, [ledger.schema], async () => {
    await runStatements(client, dropCaptureBackSql(log, tables))
    await new Ledger(client, staging).publish(staging, { tables: [], findings: [], fixes: [] }, [])
  })
  dieAt('target-completed')
  const epoch = graduation.epoch + 1
  // A change of the schema has every process look at the authority once more.
  const authority = await file.write((database) => {
    giveAuthority(file, { side: 'postgres', epoch, state: 'completed' })
    database.exec(`CREATE TABLE _outgrow_completed (at TEXT); DROP TABLE _outgrow_completed`)
    return file.authority
  }, signal)
  dieAt('file-completed')
  if (authority) {
    putTombstone(
      file.path,
      authority,
      tables.map(({ planned }) => planned.source.name),
    )
  }
  return archive
}

/** A plain SQLite file of the rows as they were at the switch, or when the file last followed. */
async function archived({ file, graduation, signal, progress }: LiveSession): Promise<Archive> {
  const path = `${realpathSync(file.path)}.graduated-${graduation.name}`
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
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash, { signal })
  return { path, sha256: hash.digest('hex') }
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
