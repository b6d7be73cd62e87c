import type { ReaderChoice } from '../source/sqlite/pages/page-reading.ts'
import type { RunRequest } from './step.ts'

/** What a move is asked for. */
export interface MoveRequest extends RunRequest {
  /** Checksum of the schema that transformed rows were rendered with. */
  renderedWith?: string | undefined
  /** What reads the rows of the file; by default its pages, wherever they stand still. */
  reader?: ReaderChoice | undefined
  /** Whether the target gets Prisma's `_prisma_migrations`, and the schema's folder its first migration. */
  writesHistory: boolean
  /** Of a live graduation: its name, and that of the run. */
  graduation?: string | undefined
  /** What to do with an unfinished run in the target. */
  unfinished: 'refuse' | 'resume' | 'restart'
  /**
   * False: what arrived is not hashed, and no table is reported to match. Only for measuring what that costs; by default
   * every move is verified.
   */
  verifies?: boolean | undefined
}
