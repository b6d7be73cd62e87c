/** The archive_command of an embedded server: `archive-wal <settings> <path> <name>`. */
import { Failure, messageOf } from '@outgrow/kit'
import { beginArchive, refuseOtherStorage, storeWalFile } from './archive-file.ts'
import { openWalStore, readArchiveSettings } from './archive-settings.ts'
import { isWalFile, probe, walKey } from './wal-files.ts'

const [settingsFile = '', path = '', name = ''] = process.argv.slice(2)
// The server tries again by itself; it waits for three attempts before it stops, for a minute at most.
process.env.AWS_MAX_ATTEMPTS ??= '1'
try {
  const settings = readArchiveSettings(settingsFile)
  const store = await openWalStore(settings)
  if (path === probe) await beginArchive(store, settings.archive)
  else {
    if (!isWalFile(name)) throw new Error(`${name} is not a file that a server archives`)
    await refuseOtherStorage(store, settings.archive)
    await storeWalFile(store, walKey(settings.archive, name), path)
  }
} catch (error) {
  const code = error instanceof Failure ? `${error.code} ` : ''
  process.stderr.write(`outgrow archive-wal: ${code}${messageOf(error)}\n`)
  // Tried again; from 126 on the server's archiver would end.
  process.exitCode = 1
}
