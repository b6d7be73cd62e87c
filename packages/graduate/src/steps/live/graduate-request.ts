import type { GraduateOptions } from '../../model/graduate-options.ts'
import type { MoveRequest } from '../move-request.ts'

/** What the way to the point is asked for from which on the target follows. */
export interface GraduateRequest extends Omit<MoveRequest, 'graduation'>, GraduateOptions {
  /** Path of the application's file. */
  path: string
}
