import { chmodSync, existsSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { PoolFile } from './pool-files.ts'

/**
 * Writes files into a folder, each with its permissions from the first byte on.
 * @throws Failure OUTGROW_POOL_EXISTS before anything is written, where one is there
 */
export function writePoolFiles(folder: string, files: PoolFile[], overwrite: boolean): void {
  if (!overwrite) refuseExisting(folder, files)
  makeFolder(folder, 0o755)
  for (const { name, mode, text } of files) {
    const path = join(folder, name)
    const aside = join(folder, `.${name}.${process.pid}`)
    // Fails where somebody was faster.
    writeFileSync(overwrite ? aside : path, text, { mode, flag: 'wx' })
    chmodSync(overwrite ? aside : path, mode) // whatever the umask
    if (overwrite) renameSync(aside, path)
  }
}

/** @throws Failure OUTGROW_POOL_EXISTS */
function refuseExisting(folder: string, files: Pick<PoolFile, 'name'>[]): void {
  const there = files.filter(({ name }) => existsSync(join(folder, name))).map(({ name }) => name)
  if (there.length === 0) return
  throw new Failure({
    code: 'OUTGROW_POOL_EXISTS',
    message: `${folder} already has ${there.join(', ')}.`,
    why: 'A running pooler may use them: new files have new passwords, which setup.sql gives to the server.',
    fix: 'Choose another folder, or pass --force to overwrite them and run setup.sql again.',
  })
}
