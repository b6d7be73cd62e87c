import { existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a folder, and those that it is in. Node's own `recursive` never returns where a file system, such as /proc, takes no
 * folders.
 * @returns whether it was not there
 */
export function makeFolder(path: string, mode: number): boolean {
  if (existsSync(path)) return false
  makeFolder(dirname(resolve(path)), mode)
  try {
    mkdirSync(path, { mode })
    return true
  } catch (error) {
    if (existsSync(path)) return false // somebody else was quicker
    throw error
  }
}
