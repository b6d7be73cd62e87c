import { refusePooled, withPostgres } from '@outgrow/databases'
import { lockTarget } from '../ledger/run-lock.ts'
import { dropRun, findRuns } from '../ledger/runs.ts'

/** Undoes every unfinished run in a target, which is then as it was before. Returns their names. */
export async function undoUnfinished(to: string): Promise<string[]> {
  await refusePooled(to)
  return withPostgres(to, async (client) => {
    await lockTarget(client)
    const runs = (await findRuns(client)).filter(({ status }) => status === 'building')
    for (const { staging } of runs) await dropRun(client, staging)
    return runs.map(({ staging }) => staging.run)
  })
}
