import type { Spelling } from '../../target/sqlite/stored-form.ts'
import type { RunRequest } from '../step.ts'

/** What a move out of a Postgres is asked for. `target` is still the Postgres, and `source` the file, once it is made. */
export interface ReverseRequest extends RunRequest {
  /** Absolute path of the file. */
  path: string
  /** Where it is made. */
  part: string
  /** How moments are written. */
  moments: Extract<Spelling, 'iso' | 'number'>
}
