import { Failure } from '@outgrow/kit'
import { workDirFailure } from '../sqlite/disk-full.ts'

/** What PostgreSQL says when the files or the WAL themselves are wrong. Source: xlogrecovery.c, xlog.c. */
const damageOfBackup =
  /could not locate (a valid|required) checkpoint record|WAL ends before|invalid checkpoint record|incorrect (resource manager data )?checksum|requested recovery stop point is before consistent|database system identifier differs/

/**
 * The failure behind a server that stopped while it recovered. Only what is wrong with the backup is OUTGROW_RECOVERY_FAILED:
 * a drill records that.
 * @param log of the server, since it was started
 */
export function recoveryFailure(cause: unknown, log: string, folder: string): unknown {
  const lines = log.split('\n')
  const fatal = lines.findLast((line) => /\b(FATAL|PANIC):/.test(line))
  if (fatal === undefined) return cause
  const said = fatal.replace(/^.*?(FATAL|PANIC):\s*/, '')
  if (/No space left on device|Disk quota exceeded/.test(log))
    return workDirFailure(folder, Object.assign(new Error(said), { code: 'ENOSPC' }))
  if (damageOfBackup.test(said)) {
    return new Failure({
      code: 'OUTGROW_RECOVERY_FAILED',
      message: `The server stopped during recovery: ${said}`,
      fix: 'Restore to another time with --at, or from another base backup (--from <location>/<id>).',
      cause,
    })
  }
  return new Failure({
    code: 'OUTGROW_RECOVERY_STOPPED',
    message: `The server stopped during recovery: ${said}`,
    why: 'That says nothing of the backup: the server itself could not go on here.',
    fix: 'Correct what is named and try again. If it names the WAL or the files, restore from another base backup (--from <location>/<id>).',
    cause,
  })
}
