import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { removeAbandonedScratch, removeEmbeddedPostgres, stateDirectory } from '@outgrow/databases'

/**
 * Runs `use` with a folder that is gone afterwards. What a run that was killed left is removed by the next: it holds all
 * rows, in the clear.
 */
export async function withScratchFolder<Result>(
  workDir: string,
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  const parent = stateDirectory(workDir)
  const name = /^backup-(\d+)-[0-9a-f]{8}$/
  // First the servers of drills: those that lie in them, and that of a base backup, to which for root only the path leads.
  for (const orphan of orphansIn(parent, name)) {
    await removeAbandonedScratch(orphan)
    await removeEmbeddedPostgres(join(orphan, 'postgres'))
  }
  removeOrphans(parent, name)
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
  for (const path of orphansIn(folder, pattern)) rmSync(path, { recursive: true, force: true })
}

function orphansIn(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder)
    .filter((name) => {
      const pid = pattern.exec(name)?.[1]
      return pid !== undefined && !isAlive(Number(pid))
    })
    .map((name) => join(folder, name))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' // somebody else's, but there
  }
}
