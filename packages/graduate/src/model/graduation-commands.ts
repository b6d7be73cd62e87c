import type { GraduationState } from '@outgrow/databases'

/** What can be done to a graduation; `graduate` begins it, or goes on with it. */
export type GraduationCommand = 'graduate' | 'rehearse' | 'cutover' | 'rollback' | 'complete' | 'cancel'

/** The commands that each state allows, the expected one first. */
export const commandsIn: Record<GraduationState | 'none', readonly GraduationCommand[]> = {
  none: ['graduate'],
  capturing: ['graduate', 'cancel'],
  copying: ['graduate', 'cancel'],
  following: ['rehearse', 'cutover', 'graduate', 'cancel'],
  switched: ['complete', 'rollback'],
  completed: [],
}
