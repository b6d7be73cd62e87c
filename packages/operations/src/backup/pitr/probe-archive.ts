import { execFile } from 'node:child_process'
import { chownSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { EmbeddedFolder } from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import { parseLocation } from '../storage/open-storage.ts'
import type { ArchiveSettings } from './archive-settings.ts'
import { programFile } from './server-command.ts'
import { probe } from './wal-files.ts'

const run = promisify(execFile)

/**
 * Has the server's account begin the archive, with the program and the settings that the server will use.
 * @throws Failure OUTGROW_ARCHIVE_UNUSABLE
 */
export async function probeArchive(
  settings: ArchiveSettings,
  settingsFile: string,
  { owner }: EmbeddedFolder,
  signal: AbortSignal,
): Promise<void> {
  if (owner && parseLocation(settings.location).kind === 'folder') letAccountIn(settings, owner)
  try {
    await run(process.execPath, [programFile('archive-wal'), settingsFile, probe], {
      ...(owner ? { uid: owner.uid, gid: owner.gid } : {}),
      cwd: '/',
      env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' }, // the server has no more
      signal,
    })
  } catch (cause) {
    signal.throwIfAborted()
    const said = (cause as { stderr?: string }).stderr?.trim().split('\n').at(-1)
    throw new Failure({
      code: 'OUTGROW_ARCHIVE_UNUSABLE',
      message: `The server could not archive to ${settings.location}: ${said || messageOf(cause).split('\n')[0]}`,
      why: owner
        ? `PostgreSQL refuses to run as root, so it runs as "${owner.name}", which needs access to the location, to Node and to the installed packages.`
        : 'It was tried with the program and the environment that the server would use.',
      fix: owner
        ? `Run as another user; or chown ${owner.name} the folder, and install Node and the packages where every user can read them.`
        : 'Correct what is named. Credentials that the AWS SDK finds elsewhere than in AWS_… variables are not handed to the server.',
      cause,
    })
  }
}

/** Root may write everywhere; the account that runs the server for it only into what is its own. */
function letAccountIn(
  { location, archive }: ArchiveSettings,
  owner: NonNullable<EmbeddedFolder['owner']>,
): void {
  for (const path of [location, join(location, 'wal'), join(location, 'wal', archive)]) {
    if (existsSync(path)) continue
    mkdirSync(path, { mode: 0o700 })
    chownSync(path, owner.uid, owner.gid)
  }
}
