import { Failure } from '@outgrow/kit'
import { isWhole, type Catalog, type StoredBackup, type WholeBackup } from './read-catalog.ts'
import { isOf, type Which } from './which.ts'

export interface Wanted {
  /** One of them; the newest whole one without. */
  id: string | undefined
  /** The newest that has nothing later in it. */
  at: Date | undefined
}

/**
 * The backup to restore, and the newer ones that were passed over because they are not whole.
 * @throws Failure OUTGROW_BACKUP_NOT_FOUND, OUTGROW_RESTORE_BASE
 */
export function chooseBackup(
  { backups }: Catalog,
  { id, at }: Wanted,
  description: string,
): { chosen: WholeBackup; passedOver: StoredBackup[] } {
  const candidates = backups.filter(
    (backup) =>
      (id === undefined ? backup.header?.method !== 'base' : backup.id === id) &&
      (at === undefined || backup.header === undefined || new Date(backup.header.createdAt) <= at),
  )
  const chosen = candidates.find(isWhole)
  if (chosen?.header.method === 'base') throw notIntoDatabase(chosen.id)
  if (chosen) return { chosen, passedOver: candidates.slice(0, candidates.indexOf(chosen)) }
  const wanted = id === undefined ? 'backup' : `backup ${id}`
  const [first] = candidates
  const oldest = backups.filter(isWhole).at(-1)
  throw new Failure({
    code: 'OUTGROW_BACKUP_NOT_FOUND',
    message: `${description} has no ${first ? 'whole ' : ''}${wanted}${at === undefined ? '' : ` from ${at.toISOString()} or before`}.`,
    ...(first?.problem === undefined ? {} : { why: `${first.id} is not whole: ${first.problem}.` }),
    fix:
      at !== undefined && oldest !== undefined
        ? `The oldest one is of ${oldest.header.createdAt}; outgrow backup list --from ${description} shows all.`
        : `See what is there with outgrow backup list --from ${description}, or check the location.`,
  })
}

/**
 * The backup to try: the newest, whole or not, since that is the one that everybody counts on.
 * @throws Failure OUTGROW_BACKUP_NOT_FOUND
 */
export function chooseForDrill(
  { backups }: Catalog,
  { id, which }: { id: string | undefined; which: Which },
  description: string,
): StoredBackup {
  const chosen = backups.find((backup) => (id === undefined ? isOf(backup, which) : backup.id === id))
  if (chosen) return chosen
  throw new Failure({
    code: 'OUTGROW_BACKUP_NOT_FOUND',
    message: `${description} has no backup${id === undefined ? '' : ` ${id}`}.`,
    fix: `Make one with outgrow backup --to ${description}, or check the location.`,
  })
}

function notIntoDatabase(id: string): Failure {
  return new Failure({
    code: 'OUTGROW_RESTORE_BASE',
    message: `${id} holds the files of a server, and --to names a database.`,
    why: 'Such a backup is restored as the server that it is, with the WAL that it archived.',
    fix: 'Pass a new work folder with --to, such as --to restored.',
  })
}
