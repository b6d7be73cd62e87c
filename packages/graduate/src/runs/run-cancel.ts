import { join } from 'node:path'
import { stateDirectory } from '@outgrow/databases'
import { askFollower } from '../flows/live/ask-follower.ts'
import { cancelGraduation } from '../flows/live/cancel.ts'
import { blankGraduation, type GraduationReport } from './graduation-report.ts'

/** Takes a graduation back before its switch; a process that follows is told to end first. */
export async function runCancel(request: {
  from: string
  to: string
  workDir: string
  /** The target does not exist any more. */
  isTargetGone?: boolean
  signal: AbortSignal
}): Promise<GraduationReport> {
  const { workDir, isTargetGone = false } = request
  if (!isTargetGone)
    await askFollower(request, { kind: 'stop', budgetMs: null, times: 0, leavesBehind: false })
  const name = await cancelGraduation({ ...request, folder: join(stateDirectory(workDir), 'graduations') })
  return { ...blankGraduation('graduate cancel'), graduation: name ?? null }
}
