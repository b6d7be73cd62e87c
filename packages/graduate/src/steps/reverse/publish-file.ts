import { statSync } from 'node:fs'
import { Failure } from '@outgrow/kit'
import { putInPlace } from '../../target/sqlite/new-file.ts'
import type { Step } from '../step.ts'
import { compareFile } from './compare-file.ts'
import type { ReverseRequest } from './reverse-request.ts'

/**
 * Puts the file in its place.
 * @throws Failure OUTGROW_VERIFY_MISMATCH, OUTGROW_TARGET_NOT_EMPTY
 */
export const publishFile: Step<{ sizeBytes: number }, ReverseRequest> = {
  name: 'publish',
  title: 'Put the file in its place',
  run: async (run) => {
    const { path, part } = run.request
    const wrong = run.of(compareFile).filter(({ digestMatch }) => !digestMatch)
    if (wrong.length > 0) throw mismatch(wrong.map(({ table }) => table))
    putInPlace(part, path)
    return { value: { sizeBytes: statSync(path).size } }
  },
}

function mismatch(tables: string[]): Failure {
  return new Failure({
    code: 'OUTGROW_VERIFY_MISMATCH',
    message: `The rows in the file differ from those in Postgres: ${tables.join(', ')}. Nothing was put in place.`,
    why: 'SQLite changed what was written, or this is a bug.',
    fix: 'Report it with the output of --json.',
  })
}
