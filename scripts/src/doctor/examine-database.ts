import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '@outgrow/kit'
import { examine, SignStore, type Collisions, type Examination } from '@outgrow/signs'
import { readBackups } from './read-backups.ts'
import { isWithoutBilling, withBilling } from '../billing/context.ts'

const run = randomUUID()

export interface DoctorRequest {
  url: string
  windowMs: number
  /** Folder of `signs.db`; what is seen is added to it. */
  directory: string
  signal?: AbortSignal
}

/** Examines a database, with what its processes counted and with how webhooks collide in the project's inbox. */
export async function examineDatabase({
  url,
  windowMs,
  directory,
  signal,
}: DoctorRequest): Promise<Examination> {
  using store = openStore(directory)
  return await examine({
    url,
    windowMs,
    store,
    process: { name: 'doctor', run },
    // The client would set a file to WAL: one that is not is left as it is.
    collisions: (journalMode) =>
      journalMode === undefined || journalMode === 'wal' ? collisionsOf(url) : Promise.resolve(undefined),
    backups: readBackups,
    signal,
  })
}

/** Examines a database again and again, with a second between, until the signal is aborted: then its reason is thrown. */
export async function watchDatabase(
  request: DoctorRequest & { signal: AbortSignal },
  show: (examination: Examination) => void,
): Promise<never> {
  for (;;) {
    const examination = await examineDatabase(request)
    request.signal.throwIfAborted() // a look that was cut short tells nothing
    show(examination)
    await sleep(1000, undefined, { signal: request.signal })
  }
}

/** Undefined where none can be kept: doctor only looks, and may be called from any folder. */
function openStore(directory: string): SignStore | undefined {
  try {
    return new SignStore(directory)
  } catch {
    return undefined
  }
}

/** Undefined for a project without billing. An inbox that cannot be read is named, and the rest is examined. */
async function collisionsOf(url: string): Promise<Collisions | undefined> {
  try {
    return await withBilling(url, async (store, { maxCollisions }) => ({
      maxPerMinute: await maxCollisions(store),
    }))
  } catch (error) {
    if (isWithoutBilling(error)) return undefined
    return { maxPerMinute: null, reason: messageOf(error).trimEnd().split('\n').at(-1) ?? '' }
  }
}
