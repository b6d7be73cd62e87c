import { messageOf } from '@outgrow/kit'
import { backupStates, openStorage } from '@outgrow/operations'
import type { BackupReading } from '@outgrow/signs'
import { configuredLocation } from '../backup/options.ts'

/** Doctor looks for a few seconds: a storage that takes longer is one that cannot be read. */
const patienceMs = 10_000

/** What a storage tells of the backups of one kind of database; why it tells nothing is an answer, too. */
export async function readBackups(provider: 'sqlite' | 'postgres'): Promise<BackupReading> {
  const location = await configuredLocation()
  if (location === undefined)
    return { reason: 'not known where backups are: set OUTGROW_BACKUP_TO, or backup.to in outgrow.config.ts' }
  const signal = AbortSignal.timeout(patienceMs)
  try {
    const storage = await openStorage(location)
    const { newest, drill } = await backupStates(storage, { provider, signal })
    return { location: storage.description, newest, drill }
  } catch (error) {
    const problem = signal.aborted
      ? `${location} did not answer within ${patienceMs / 1000} s`
      : messageOf(error)
    return { location, problem }
  }
}
