import { Failure } from '@outgrow/kit'
import { completeGraduation, finishCompletion, type Archive } from '../flows/live/complete.ts'
import { openSession } from '../flows/live/open-session.ts'
import type { Progress } from '../model/progress.ts'
import { blankGraduation, type GraduationReport } from './graduation-report.ts'

/** The document of `graduate complete`. */
export interface CompletionReport extends GraduationReport {
  archive: Archive | null
}

/**
 * Ends a graduation that has switched, or goes on with that; there is no way back afterwards.
 * @throws Failure OUTGROW_NOT_SWITCHED, OUTGROW_CUTOVER_BLOCKED, OUTGROW_GRADUATION_SWITCHED where it was completed
 */
export async function runComplete(request: {
  from: string
  to: string
  leavesBehind: boolean
  signal: AbortSignal
  progress: Progress
}): Promise<CompletionReport> {
  const finished = await finishCompletion(request)
  if (finished) return { ...blankGraduation('graduate complete'), ...finished, state: 'completed' }
  await using session = await openSession(request)
  try {
    if (session.graduation.state !== 'switched') throw notSwitched()
    const archive = await completeGraduation(session, request.leavesBehind)
    const { name } = session.graduation
    return { ...blankGraduation('graduate complete'), graduation: name, state: 'completed', archive }
  } catch (error) {
    throw session.explained(error)
  }
}

function notSwitched(): Failure {
  return new Failure({
    code: 'OUTGROW_NOT_SWITCHED',
    message: 'The application’s rows are in the SQLite file: the switch comes first.',
    fix: 'Run outgrow graduate cutover.',
  })
}
