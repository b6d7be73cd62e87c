import { statSync } from 'node:fs'
import { putInPlace } from '../../target/sqlite/new-file.ts'
import type { Step } from '../step.ts'
import type { ReverseRequest } from './reverse-request.ts'

/**
 * Puts the file in its place, once nothing speaks against it.
 * @throws Failure OUTGROW_TARGET_NOT_EMPTY
 */
export const publishFile: Step<{ sizeBytes: number }, ReverseRequest> = {
  name: 'publish',
  title: 'Put the file in its place',
  run: async ({ request: { path, part } }) => {
    putInPlace(part, path)
    return { value: { sizeBytes: statSync(path).size } }
  },
}
