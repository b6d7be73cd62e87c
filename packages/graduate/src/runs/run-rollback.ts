import { exit, Failure } from '@outgrow/kit'
import { defaultBudgetMs } from '../flows/live/follow.ts'
import { openSession } from '../flows/live/open-session.ts'
import { rollBack } from '../flows/live/roll-back.ts'
import type { CutoverRun } from './run-cutover.ts'
import { blankGraduation, pauseOf, type GraduationReport } from './graduation-report.ts'

/**
 * Goes back to the file, with everything that was written to the target since the switch.
 * @throws Failure as the way back does
 */
export async function runRollback(request: Omit<CutoverRun, 'leavesBehind'>): Promise<GraduationReport> {
  const { onLag } = request
  await using session = await openSession(request)
  try {
    if (session.hasReturned)
      return {
        ...blankGraduation('graduate rollback'),
        graduation: session.graduation.name,
        state: 'following',
        notes: ['A way back that had been cut off was finished: the rows are in the SQLite file.'],
      }
    if (session.graduation.state !== 'switched') throw notSwitched()
    const { budgetMs = await defaultBudgetMs(session.target.client, 5) } = request
    const { held, findings } = await rollBack(session, { budgetMs, attempts: 5 }, onLag)
    return {
      ...blankGraduation('graduate rollback'),
      graduation: session.graduation.name,
      state: 'following',
      findings,
      exitCode: findings.length > 0 ? exit.findings : exit.done,
      pauses: [pauseOf(held)],
    }
  } catch (error) {
    throw session.explained(error)
  }
}

function notSwitched(): Failure {
  return new Failure({
    code: 'OUTGROW_NOT_SWITCHED',
    message: 'The application’s rows are in the SQLite file: there is nothing to go back from.',
    fix: 'To take the graduation back as a whole, run outgrow graduate cancel.',
  })
}
