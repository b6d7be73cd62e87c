import { Failure } from '@outgrow/kit'
import { emptyAdoption, type Adoption, type AdoptRequest } from './adoption.ts'
import type { AdoptConnection } from './connection.ts'
import { isInbox } from './inbox-table.ts'
import { findSource } from './source.ts'
import { takeOver } from './take-over.ts'

export { hasLeftovers, type Adoption, type AdoptRequest, type StoredColumns } from './adoption.ts'
export { takenNames } from './catalog.ts'
export type { AdoptConnection } from './connection.ts'
export { findInbox, inboxSql, inboxTables, refuseWithoutSchema } from './inbox-table.ts'
export { presetOf, presets, type Preset } from './presets.ts'
export { findSource, type EventSource } from './source.ts'

export interface AdoptOptions {
  /** The inbox's table. */
  inbox: string
  /** Brings the project and the database to the inbox, once the table of events was found. */
  prepare: () => Promise<void>
  dryRun: boolean
  /** Ends the run between two pages; what was taken stays. */
  signal?: AbortSignal | undefined
  onProgress?: ((adoption: Adoption) => void) | undefined
}

/**
 * Brings an application to the inbox: makes its table where it is missing, and takes over the events that were kept
 * elsewhere, each once. What was processed is done; what is not known to be is pending, when its payload is there, since
 * the synchronisation may be repeated. What may be forged stays behind. Running it again takes what has come since.
 * @throws Failure OUTGROW_ADOPT_PRESET, OUTGROW_ADOPT_TABLE, OUTGROW_ADOPT_COLUMN, OUTGROW_ADOPT_INBOX: nothing was changed
 */
export async function adoptInbox(
  connection: AdoptConnection,
  request: AdoptRequest,
  { inbox, prepare, dryRun, signal, onProgress }: AdoptOptions,
): Promise<Adoption> {
  const source = await findSource(connection, request)
  const isThere = await isInbox(connection, inbox)
  const adoption = emptyAdoption(inbox, !isThere)
  if (!dryRun) {
    signal?.throwIfAborted()
    await prepare()
    if (!(await isInbox(connection, inbox))) throw withoutInbox(inbox)
  }
  if (source === undefined) return adoption
  adoption.table = source.name
  const table = isThere || !dryRun ? inbox : undefined
  const { yesValues, doneBefore } = request
  await takeOver(connection, source, adoption, {
    inbox: table,
    dryRun,
    signal,
    onProgress,
    yesValues,
    doneBefore,
  })
  return adoption
}

function withoutInbox(inbox: string): Failure {
  return new Failure({
    code: 'OUTGROW_ADOPT_INBOX',
    message: `The database has no inbox ${inbox}.`,
    why: 'The migration that creates it was not applied to this database, or its columns differ.',
    fix: 'Run outgrow schema status, then outgrow schema deploy --to <url>, and this command again.',
  })
}
