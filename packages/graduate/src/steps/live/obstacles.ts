import { listProcesses, type ApplicationProcess } from '@outgrow/databases'
import { backLogState } from '../../target/postgres/live/capture-back.ts'
import type { LiveSession } from './session.ts'

/** After so long without a word a process is taken for gone. */
const silentMs = 30_000

/** Processes of the application that have the file open, as far as they tell. */
export function livingProcesses(all: ApplicationProcess[]): ApplicationProcess[] {
  return all.filter(({ seenAt }) => Date.now() - Date.parse(seenAt) < silentMs)
}

/** What stands in the way of a switch, in words; nothing where it can be made. */
export async function obstacles(session: LiveSession): Promise<string[]> {
  const { file, target, ledger, tables, graduation } = session
  const found = livingProcesses(listProcesses(file.reader))
    .filter(({ reaches }) => reaches !== true)
    .map(
      ({ name, pid, host, problem }) =>
        `${name} (process ${pid} on ${host}) ${problem ?? 'has not connected to the target yet'}`,
    )
  const back = await backLogState(target.client, { schema: ledger.schema, record: ledger.table }, tables)
  if (back.entries > 0) found.push(`${back.entries} rows of the target were changed by somebody else`)
  const { verified } = graduation
  if (verified === null) found.push('both sides have not been compared yet')
  else if (!verified.isEqual) found.push('the last comparison found differences')
  return found
}
