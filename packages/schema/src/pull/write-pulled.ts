import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Failure } from '@outgrow/kit'

/**
 * Writes a schema that was read from a database into a file.
 * @throws Failure OUTGROW_SCHEMA_EXISTS unless `force` overwrites what is there
 */
export function writePulled(path: string, text: string, force: boolean): void {
  const absolute = resolve(path)
  if (existsSync(absolute) && !force) {
    throw new Failure({
      code: 'OUTGROW_SCHEMA_EXISTS',
      message: `${path} already exists.`,
      fix: 'Pass another --out, or --force to overwrite it.',
    })
  }
  mkdirSync(dirname(absolute), { recursive: true })
  writeFileSync(absolute, text)
}
