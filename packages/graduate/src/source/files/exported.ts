import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Failure } from '@outgrow/kit'

/** Path of the snapshot that `export` wrote into a folder. */
export function exportedSource(directory: string): string {
  const path = join(resolve(directory), 'snapshot.sqlite')
  if (existsSync(path)) return path
  throw new Failure({
    code: 'OUTGROW_EXPORT_NOT_FOUND',
    message: `${directory} contains no export.`,
    fix: 'Run outgrow export --dir <folder> first.',
  })
}
