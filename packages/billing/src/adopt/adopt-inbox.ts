import { inbox, type Adoption, type AdoptRequest } from './adoption.ts'
import type { AdoptConnection } from './connection.ts'
import { setAside } from './set-aside.ts'
import { takeOver } from './take-over.ts'

export type { Adoption, AdoptRequest } from './adoption.ts'

/**
 * Brings an application to the inbox, in one transaction: makes the table with its unique key, and takes over the events
 * that were kept elsewhere, each once. What was processed is done; what is not known to be is pending, when its payload
 * is there, since the synchronisation may be repeated. Running it again changes nothing more.
 * @param beforeCommit what goes with it: when it throws, nothing has changed
 * @throws Failure OUTGROW_ADOPT_TABLE
 */
export async function adoptInbox(
  connection: AdoptConnection,
  request: AdoptRequest,
  beforeCommit?: () => void,
): Promise<Adoption> {
  await connection.script(connection.provider === 'sqlite' ? 'BEGIN IMMEDIATE' : 'BEGIN')
  try {
    const adoption = await adopt(connection, request)
    if (!request.dryRun) beforeCommit?.()
    await connection.script(request.dryRun ? 'ROLLBACK' : 'COMMIT')
    return adoption
  } catch (error) {
    await connection.script('ROLLBACK')
    throw error
  }
}

async function adopt(connection: AdoptConnection, request: AdoptRequest): Promise<Adoption> {
  if (connection.provider === 'postgres')
    await connection.script(`SELECT pg_advisory_xact_lock(hashtext('${inbox}'))`)
  const columns = await connection.columnsOf(inbox)
  const isInbox = columns.includes('stripe_event_id') && (await connection.isUnique(inbox, 'stripe_event_id'))
  let { table } = request
  let kept: string | null = null
  if (columns.length > 0 && !isInbox) {
    kept = await setAside(connection)
    if (table === undefined || table === inbox) table = kept
  }
  if (!isInbox) await connection.script(request.ddl)
  const adoption: Adoption = {
    created: !isInbox,
    kept,
    rowsRead: 0,
    imported: { done: 0, pending: 0, dead: 0 },
    duplicateEvents: 0,
    duplicates: [],
    duplicateRows: 0,
    known: 0,
    withoutId: 0,
  }
  if (table !== undefined && table !== inbox) await takeOver(connection, { ...request, table }, adoption)
  return adoption
}
