import { Failure } from '@outgrow/kit'
import { drillHeader, type DrillHeader } from '../model/drill.ts'
import { manifestKey, readKey, timeOfId } from '../model/keys.ts'
import { manifestHeader, type ManifestHeader } from '../model/manifest.ts'
import type { Storage, StoredObject } from '../model/storage.ts'
import { collect, readDocumentHeader } from '../seal/sealed-document.ts'

/** A backup as a storage tells of it, without its key. */
export interface StoredBackup {
  id: string
  /** Undefined when the manifest cannot be read. */
  header: ManifestHeader | undefined
  /** Why it is not whole; undefined when it is. */
  problem: string | undefined
  /** Whether another version of Outgrow wrote it, in a format that this one does not know. */
  isForeign: boolean
  /** ISO 8601. When its state was taken; no later than its manifest was stored, by the storage's clock: that of a server may be wrong. */
  takenAt: string
  /** Newest first. */
  drills: DrillHeader[]
  keys: string[]
}

/** What a run left that never ended. */
export interface Leftover {
  id: string
  keys: string[]
  sizeBytes: number
  /** Of the newest of its objects. */
  modifiedAt: Date
}

export interface Catalog {
  /** Newest first. */
  backups: StoredBackup[]
  leftovers: Leftover[]
}

export type WholeBackup = StoredBackup & { header: ManifestHeader }

export function isWhole(backup: StoredBackup): backup is WholeBackup {
  return backup.problem === undefined && backup.header !== undefined
}

/** Whether its last drill succeeded. */
export function isProved({ drills }: StoredBackup): boolean {
  return drills[0]?.ok ?? false
}

/** Reads what a storage holds. Nothing is opened with a key: whoever can write to the storage could have changed it. */
export async function readCatalog(storage: Storage, signal?: AbortSignal): Promise<Catalog> {
  const objects = new Map<string, StoredObject[]>()
  // Ids begin with a year.
  for await (const object of storage.list('2', signal)) {
    const id = readKey(object.key)?.id
    if (id === undefined) continue
    const found = objects.get(id)
    if (found) found.push(object)
    else objects.set(id, [object])
  }
  const catalog: Catalog = { backups: [], leftovers: [] }
  for (const [id, found] of objects) {
    const manifest = found.find(({ key }) => key === manifestKey(id))
    if (manifest) catalog.backups.push(await readBackup(storage, id, manifest, found, signal))
    else catalog.leftovers.push(leftoverOf(id, found))
  }
  // Several can be of one second, and so can their ids.
  catalog.backups.sort((one, other) => (orderOf(one) < orderOf(other) ? 1 : -1))
  return catalog
}

/** A storage may know of whole seconds only. */
function orderOf({ id, takenAt, header }: StoredBackup): string {
  return `${takenAt} ${header?.createdAt ?? ''} ${id}`
}

/** In one form: times are compared as text. */
function earlier(time: string, stored: StoredObject): string {
  return new Date(Math.min(Date.parse(time), stored.modifiedAt.getTime())).toISOString()
}

async function readBackup(
  storage: Storage,
  id: string,
  manifest: StoredObject,
  objects: StoredObject[],
  signal?: AbortSignal,
): Promise<StoredBackup> {
  const of = (kind: string) => objects.filter(({ key }) => readKey(key)?.kind === kind)
  const read = async <Header>(key: string, schema: Parameters<typeof readDocumentHeader<Header>>[2]) =>
    readDocumentHeader(key, await collect(storage.get(key, signal)), schema)
  const keys = objects.map(({ key }) => key)
  const found = { id, keys, isForeign: false, takenAt: earlier(timeOfId(id), manifest) }
  const drills: DrillHeader[] = []
  for (const stored of of('drill')) {
    const drill = await read(stored.key, drillHeader).catch(damaged)
    if (drill instanceof Failure) continue // it proves nothing
    drills.push({ ...drill, at: earlier(drill.at, stored) })
  }
  drills.sort((one, other) => (one.at < other.at ? 1 : -1))
  const header = await read(manifest.key, manifestHeader).catch(damaged)
  if (header instanceof Failure) {
    const isForeign = header.code === 'OUTGROW_BACKUP_VERSION'
    return { ...found, header: undefined, drills, problem: header.message, isForeign }
  }
  const storedBytes = of('part').reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return {
    ...found,
    takenAt: earlier(header.createdAt, manifest),
    header,
    drills,
    problem: problemOf(id, header, storedBytes),
  }
}

/** A failure of the backup, and not of the storage, is an answer. */
function damaged(error: unknown): Failure {
  if (error instanceof Failure && error.code.startsWith('OUTGROW_BACKUP_')) return error
  throw error
}

function problemOf(id: string, header: ManifestHeader, storedBytes: number): string | undefined {
  if (header.id !== id) return `its manifest is that of ${header.id}`
  if (header.storedBytes === storedBytes) return undefined
  return `${storedBytes} of its ${header.storedBytes} bytes are there`
}

function leftoverOf(id: string, objects: StoredObject[]): Leftover {
  return {
    id,
    keys: objects.map(({ key }) => key),
    sizeBytes: objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    modifiedAt: new Date(Math.max(...objects.map(({ modifiedAt }) => modifiedAt.getTime()))),
  }
}
