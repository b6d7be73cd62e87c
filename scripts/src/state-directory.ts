import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'

/** `.outgrow/`, which holds the embedded Postgres and files of runs; it is not to be committed. */
export function stateDirectory(workDirectory = '.outgrow'): string {
  const path = resolve(workDirectory)
  mkdirSync(path, { recursive: true })
  return path
}
