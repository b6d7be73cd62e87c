import { Failure } from '@outgrow/kit'
import type { Manifest } from '../model/manifest.ts'
import { readManifest } from '../catalog/documents.ts'
import { isWhole, readCatalog } from '../catalog/read-catalog.ts'
import { readCompletedAt, type WalStore } from './archive-file.ts'
import { baseDetailsOf, type BaseDetails } from './base-details.ts'
import { archivePrefix, isSegment, nextSegment, walKey } from './wal-files.ts'

/** A base backup, with how far its WAL goes. */
export interface Coverage {
  manifest: Manifest
  details: BaseDetails
  /** It can be restored to any time from here on. */
  from: Date
  /** Its WAL without a gap; empty when there is not even what makes the copy consistent. */
  chain: string[]
  /** What was committed until then is in the chain; undefined when that is empty. */
  until: Date | undefined
  /** Why the chain ends although later WAL is there. */
  broken: Failure | undefined
}

/**
 * What of the base backups in a storage can be restored to which time. Newest first.
 * @param id of the only one that is of interest
 */
export async function readCoverage(
  store: WalStore,
  id: string | undefined,
  signal: AbortSignal,
): Promise<Coverage[]> {
  const { backups } = await readCatalog(store.storage, signal)
  const bases = backups.filter(isWhole).filter(({ header }) => header.method === 'base')
  const archives = new Map<string, Set<string>>()
  const coverages: Coverage[] = []
  for (const base of bases.filter((base) => id === undefined || base.id === id)) {
    const manifest = await readManifest(store.storage, base.id, store.protection)
    const details = baseDetailsOf(manifest)
    const segments = archives.get(details.archive) ?? (await listSegments(store, details.archive, signal))
    archives.set(details.archive, segments)
    coverages.push({
      manifest,
      details,
      from: new Date(details.consistentAt),
      ...(await reach(store, details, segments)),
    })
  }
  return coverages
}

async function reach(
  store: WalStore,
  details: BaseDetails,
  segments: ReadonlySet<string>,
): Promise<Pick<Coverage, 'chain' | 'until' | 'broken'>> {
  const { chain, gap } = chainOf(details, segments)
  const from = new Date(details.consistentAt)
  let broken = gap === undefined ? undefined : gapIn(details, gap)
  for (;;) {
    const last = chain.at(-1)
    if (last === undefined || last < details.lastSegment) return { chain: [], until: undefined, broken }
    try {
      const until = await readCompletedAt(store, walKey(details.archive, last))
      // Files are dated by a clock that is some milliseconds behind.
      return { chain, until: until < from ? from : until, broken }
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'OUTGROW_BACKUP_DAMAGED') throw error
      broken = error // what is earlier can be restored all the same
      chain.pop()
    }
  }
}

/** A set of names, or a map by name. */
type Names = Pick<ReadonlySet<string>, 'has' | 'keys'>

/** The segments that a base backup needs and those that follow, up to the first that is missing. */
export function chainOf(
  {
    firstSegment,
    lastSegment,
    segmentBytes,
  }: Pick<BaseDetails, 'firstSegment' | 'lastSegment' | 'segmentBytes'>,
  segments: Names,
): { chain: string[]; gap: string | undefined } {
  const chain: string[] = []
  let next = firstSegment
  for (; segments.has(next); next = nextSegment(next, segmentBytes)) chain.push(next)
  const timeline = next.slice(0, 8)
  const hasLater = Array.from(segments.keys()).some((name) => name.startsWith(timeline) && name > next)
  return { chain, gap: hasLater || next <= lastSegment ? next : undefined }
}

async function listSegments(
  { storage }: WalStore,
  archive: string,
  signal: AbortSignal,
): Promise<Set<string>> {
  const segments = new Set<string>()
  const prefix = archivePrefix(archive)
  for await (const { key } of storage.list(prefix, signal)) {
    const name = key.slice(prefix.length)
    if (isSegment(name)) segments.add(name)
  }
  return segments
}

/** A base backup whose WAL reaches far enough. */
export type ChosenBase = Coverage & { until: Date }

/**
 * The base backup to recover from: the newest from before that time, or the newest at all.
 * @throws Failure OUTGROW_BACKUP_NOT_FOUND, OUTGROW_RECOVERY_RANGE, OUTGROW_RECOVERY_AMBIGUOUS, OUTGROW_WAL_GAP,
 *   OUTGROW_BACKUP_DAMAGED
 */
export function chooseBase(
  coverages: readonly Coverage[],
  at: Date | undefined,
  description: string,
): ChosenBase {
  const [newest] = coverages
  if (newest === undefined) {
    throw new Failure({
      code: 'OUTGROW_BACKUP_NOT_FOUND',
      message: `${description} has no base backup, so nothing there can be restored to a time.`,
      fix: 'For a backup of a database pass --to file:./restored.db or a postgresql: URL. outgrow backup init takes a base backup, and archives from then on.',
    })
  }
  const candidates = at === undefined ? [newest] : coverages.filter(({ from }) => from <= at)
  const reaching = candidates.flatMap((one) => {
    const { until, broken } = one
    return until && (at === undefined ? broken === undefined : at <= until) ? [{ ...one, until }] : []
  })
  const [found] = reaching
  if (found && at !== undefined) refuseOtherServers(found, reaching, at)
  if (found) return found
  const [candidate] = candidates
  if (candidate?.broken) throw candidate.broken
  const range = `${at?.toISOString()} cannot be restored: ${description} has ${rangesOf(coverages)}.`
  if (candidate === undefined) {
    throw new Failure({
      code: 'OUTGROW_RECOVERY_RANGE',
      message: range,
      why: 'A server can be restored to no time before its first base backup was complete.',
      fix: 'Pass a later --at.',
    })
  }
  throw new Failure({
    code: 'OUTGROW_RECOVERY_RANGE',
    message: range,
    why: 'What was written later had not been archived: a segment is when it is full, or after a minute.',
    fix: 'Pass an earlier --at, or none for the last state that was archived. If the server still runs, run SELECT pg_switch_wal() there and try again.',
  })
}

/** At one time, two servers may have archived here: a restored one beside the original. */
function refuseOtherServers(found: Coverage, reaching: readonly Coverage[], at: Date): void {
  const other = reaching.find(({ details }) => details.archive !== found.details.archive)
  if (!other) return
  throw new Failure({
    code: 'OUTGROW_RECOVERY_AMBIGUOUS',
    message: `Two servers archived here at ${at.toISOString()}: those of ${found.manifest.id} and of ${other.manifest.id}.`,
    why: 'After one was restored from the other, each went its own way.',
    fix: 'Name the backup to begin with: --from <location>/<id>.',
  })
}

function gapIn({ archive }: BaseDetails, gap: string): Failure {
  return new Failure({
    code: 'OUTGROW_WAL_GAP',
    message: `${walKey(archive, gap)} is missing, although it was followed by other WAL.`,
    why: 'WAL is a chain: of what comes after, nothing can be restored from the same base backup.',
    fix: 'Find the object, or pass --at with a time before it, or one after the next base backup.',
  })
}

/** `all from A to B`, once for each chain. */
function rangesOf(coverages: readonly Coverage[]): string {
  const ranges = new Map<string, string>()
  for (const { from, until, details, chain } of coverages) {
    if (until)
      ranges.set(`${details.archive} ${chain.at(-1)}`, `${from.toISOString()} to ${until.toISOString()}`)
  }
  const all = Array.from(ranges.values()).toReversed()
  return all.length === 0 ? 'no base backup whose WAL is complete' : `all from ${all.join(', and from ')}`
}
