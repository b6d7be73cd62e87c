import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { EmbeddedFolder } from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import { programFile } from './server-command.ts'
import { probe } from './wal-files.ts'
import type { WalServer } from './wal-server.ts'

const run = promisify(execFile)

/**
 * Has the server's account ask for WAL, with the program that the server will use: the server takes one that does not run for
 * the end of the archive.
 * @throws Failure OUTGROW_RECOVERY_ACCOUNT
 */
export async function probeRestore(
  { socket, probeFile }: Pick<WalServer, 'socket' | 'probeFile'>,
  owner: EmbeddedFolder['owner'],
  signal: AbortSignal,
): Promise<void> {
  try {
    await run(process.execPath, [programFile('restore-wal'), socket, probeFile, probe], {
      ...(owner ? { uid: owner.uid, gid: owner.gid } : {}),
      cwd: '/',
      env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' },
      signal,
    })
  } catch (cause) {
    signal.throwIfAborted()
    const said = (cause as { stderr?: string }).stderr?.trim().split('\n').at(-1)
    throw new Failure({
      code: 'OUTGROW_RECOVERY_ACCOUNT',
      message: `The server could not ask for its WAL: ${said || messageOf(cause).split('\n')[0]}`,
      ...(owner
        ? { why: `PostgreSQL refuses to run as root, so it runs as "${owner.name}", which runs this.` }
        : {}),
      fix: 'Install Node and the packages where every user can read and run them, or run as another user.',
      cause,
    })
  }
}
