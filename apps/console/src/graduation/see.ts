import { graduationStatus, type GraduationStatus } from '@outgrow/graduate'
import { messageOf } from '@outgrow/kit'
import type { Ends } from './ends.ts'

/** What is known of the graduation: its status, unless there is no file or it cannot be read. */
export interface Seen {
  status?: GraduationStatus
  /** Why it cannot be read. */
  problem?: string
}

/** Asks both sides where the graduation stands. */
export async function seeGraduation({ from, to }: Ends): Promise<Seen> {
  if (from === undefined) return {}
  try {
    return { status: await graduationStatus({ from, to }) }
  } catch (error) {
    return { problem: `The graduation cannot be read: ${messageOf(error)}` }
  }
}
