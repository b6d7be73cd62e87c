import { listProcesses, type ApplicationProcess } from '@outgrow/databases'
import type { LastVerification } from '../../ledger/graduation.ts'
import { backLogState } from '../../target/postgres/live/capture-back.ts'
import type { LiveFile } from '../../source/sqlite/live/live-file.ts'
import { orphans } from './orphans.ts'
import type { LiveSession } from './session.ts'

/** After so long without a word a process is taken for gone. */
const silentMs = 30_000

/** Processes of the application that have the file open, as far as they tell. */
export function livingProcesses(all: ApplicationProcess[]): ApplicationProcess[] {
  return all.filter(({ seenAt }) => Date.now() - Date.parse(seenAt) < silentMs)
}

export function verificationObstacles({ isEqual, orphans }: LastVerification): string[] {
  return [
    ...(isEqual ? [] : ['the last comparison found differences']),
    ...(orphans > 0 ? [`${orphans} rows reference rows that do not exist`] : []),
  ]
}

/** What stands in the way of a switch, in words; nothing where it can be made. */
export interface Obstacles {
  /** Processes that could not follow: a switch may leave them behind. */
  behind: string[]
  others: string[]
}

export async function obstacles(session: LiveSession): Promise<Obstacles> {
  const { file, target, ledger, tables, graduation } = session
  const found: string[] = []
  const log = { schema: ledger.schema, record: ledger.table }
  const back = await backLogState(target.client, log, tables)
  if (back.entries > 0) found.push(`${back.entries} rows of the target were changed by somebody else`)
  const { verified } = graduation
  if (verified === null) found.push('both sides have not been compared yet')
  else found.push(...verificationObstacles(verified))
  return { behind: behind(file), others: found }
}

/** The same right before the switch, with a look at the rows of now. */
export async function switchObstacles(session: LiveSession): Promise<Obstacles> {
  const known = await obstacles(session)
  const pointless = await orphans(session.second.client, session)
  const named = pointless.map(
    ({ table, column, count, reason }) =>
      `${table}.${column} ${reason} (${count} ${count === 1 ? 'row' : 'rows'})`,
  )
  return { ...known, others: [...known.others, ...named] }
}

/** Processes that could not follow. */
function behind(file: LiveFile): string[] {
  return livingProcesses(listProcesses(file.reader))
    .filter(({ reaches }) => reaches !== true)
    .map(
      ({ name, pid, host, problem }) =>
        `${name} (process ${pid} on ${host}) ${problem ?? 'has not connected to the target yet'}`,
    )
}
