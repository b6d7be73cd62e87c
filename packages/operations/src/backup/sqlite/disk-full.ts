import { statfsSync, statSync } from 'node:fs'
import { Failure, messageOf } from '@outgrow/kit'

/**
 * What a copy of a file will need is there.
 * @throws Failure OUTGROW_DISK_FULL
 */
export function refuseFullDisk(path: string, folder: string): void {
  const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0
  refuseLessThan(sizeOf(path) + sizeOf(`${path}-wal`), folder)
}

/** @throws Failure OUTGROW_DISK_FULL */
export function refuseLessThan(neededBytes: number, folder: string): void {
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize > neededBytes) return
  throw diskFull(
    `The database needs ${Math.ceil(neededBytes / 1e6)} MB in ${folder}, which has ${Math.floor((bavail * bsize) / 1e6)} MB left.`,
  )
}

/** The failure behind an error of a full disk; else the error itself. */
export function workDirFailure(folder: string, error: unknown): unknown {
  const { code } = error as { code?: string }
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EFBIG' && code !== 'SQLITE_FULL') return error
  return diskFull(`There is no room left in ${folder}: ${messageOf(error)}.`, error)
}

function diskFull(message: string, cause?: unknown): Failure {
  return new Failure({
    code: 'OUTGROW_DISK_FULL',
    message,
    fix: 'Free some space, or choose another folder with --work-dir.',
    cause,
  })
}
