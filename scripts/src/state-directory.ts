import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'

/**
 * `.outgrow/`, which holds the embedded Postgres and files of runs: rows, secrets and findings, for the owner's eyes only
 * and not to be committed. A folder that somebody else has made keeps its mode.
 */
export function stateDirectory(workDirectory = '.outgrow'): string {
  const path = resolve(workDirectory)
  const isNew = mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined
  if (isNew || basename(path) === '.outgrow') {
    chmodSync(path, 0o700)
    const ignore = join(path, '.gitignore')
    if (!existsSync(ignore)) writeFileSync(ignore, '*\n', { mode: 0o600 })
  }
  return path
}
