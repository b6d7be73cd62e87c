import { existsSync, mkdirSync, renameSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  copySqliteFile,
  openSqliteForLock,
  openSqliteReadonly,
  removeSqliteFile,
  targetIdentity,
} from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { dieAt } from '../../die-at.ts'
import { capture, recordedSchemaVersion } from '../../source/sqlite/live/capture.ts'
import { readLogState } from '../../source/sqlite/live/change-log.ts'
import type { LiveFile } from '../../source/sqlite/live/live-file.ts'
import type { LiveSnapshot } from '../../source/sqlite/live/live-snapshot.ts'
import { sqliteSource } from '../../source/sqlite/snapshot.ts'
import { claimTarget } from '../open-target.ts'
import type { Run, Step } from '../step.ts'
import { takeSnapshot } from '../take-snapshot.ts'
import { checkLive } from './check-live.ts'
import { giveAuthority } from './give-authority.ts'
import type { GraduateRequest } from './graduate-request.ts'
import { openFile } from './open-file.ts'

export interface Captured {
  /** Of the log, in the copy from which the rows are loaded. */
  position: number
  copy: string
}

/**
 * Begins to log the changes of the file, and then copies it: what is loaded is the copy, so that a load that was stopped
 * goes on, and the log has everything that the copy has not.
 * @throws Failure OUTGROW_SCHEMA_CHANGED_LIVE, OUTGROW_DISK_FULL
 */
export const captureChanges: Step<Captured, GraduateRequest> = {
  name: 'capture',
  title: 'Capture changes and copy the file',
  run: async (run) => {
    const { file, schemaVersion } = run.of(openFile)
    const { request } = run
    const copy = copyPath(request)
    if (file.authority === undefined) {
      removeSqliteFile(copy)
      refuseFullDisk(request)
      const target = await targetIdentity(run.of(claimTarget).target.client, request.target.schema)
      const { graduation, maxLog } = request
      const tables = run.of(checkLive).map(({ number, planned, key }) => ({
        number,
        name: planned.source.name,
        key: key.map((at) => planned.columns[at]?.source ?? ''),
      }))
      dieAt('staged')
      file.waiting(() =>
        capture(file.writer, tables, { graduation, target, epoch: 1, maxLog, schemaVersion }),
      )
      dieAt('captured')
    }
    if (recordedSchemaVersion(file.reader) !== file.schemaVersion) throw schemaChanged()
    if (!existsSync(copy)) await copyFile(run, file, copy)
    await file.write(
      () => giveAuthority(file, { side: 'sqlite', epoch: 1, state: 'copying' }),
      request.signal,
    )
    dieAt('file-copied')
    const snapshot = run.of(takeSnapshot) as LiveSnapshot
    const { reader = 'auto', signal } = request
    await snapshot.renew(sqliteSource(copy, { reader }), signal)
    return { value: { position: positionOf(copy), copy } }
  },
}

export function copyPath({ folder, graduation }: Pick<GraduateRequest, 'folder' | 'graduation'>): string {
  return join(folder, `${graduation}.sqlite`)
}

async function copyFile({ request }: Run<GraduateRequest>, file: LiveFile, copy: string): Promise<void> {
  const { progress, signal, folder } = request
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const whole = `${copy}.copied`
  await copySqliteFile(file.path, whole, {
    signal,
    onPages: (rows, totalRows) => progress({ step: 'capture', rows, bytes: 0, totalRows }),
  })
  // Nobody writes to it: it needs no files beside it, which would stay.
  const database = openSqliteForLock(whole)
  database.pragma('journal_mode = DELETE')
  database.close()
  renameSync(whole, copy)
}

function positionOf(copy: string): number {
  const database = openSqliteReadonly(copy)
  try {
    return readLogState(database).newest
  } finally {
    database.close()
  }
}

/** @throws Failure OUTGROW_DISK_FULL */
function refuseFullDisk({ path, folder }: GraduateRequest): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const needed = statSync(path).size + (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0)
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize > needed * 1.1) return
  throw new Failure({
    code: 'OUTGROW_DISK_FULL',
    message: `The copy of the file needs ${Math.ceil((needed * 1.1) / 1e6)} MB in ${folder}, which has ${Math.floor((bavail * bsize) / 1e6)} MB left.`,
    fix: 'Free some space, or choose another folder with --work-dir.',
  })
}

function schemaChanged(): Failure {
  return new Failure({
    code: 'OUTGROW_SCHEMA_CHANGED_LIVE',
    message: 'The schema of the file has changed since the graduation began.',
    fix: 'Run the command again.',
  })
}
