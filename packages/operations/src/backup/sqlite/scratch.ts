import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { stateDirectory } from '@outgrow/databases'

/**
 * Runs `use` with a folder that is gone afterwards. What a run that was killed left is removed by the next: it holds all
 * rows, in the clear.
 */
export async function withScratchFolder<Result>(
  workDir: string,
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  const parent = stateDirectory(workDir)
  removeOrphans(parent, /^backup-(\d+)-[0-9a-f]{8}$/)
  const folder = join(parent, `backup-${process.pid}-${randomBytes(4).toString('hex')}`)
  mkdirSync(folder, { mode: 0o700 })
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Removes what processes left that are gone; a name has the process' id. */
export function removeOrphans(folder: string, pattern: RegExp): void {
  for (const name of readdirSync(folder)) {
    const pid = pattern.exec(name)?.[1]
    if (pid !== undefined && !isAlive(Number(pid)))
      rmSync(join(folder, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // somebody else's, but there
  }
}
