import type { Storage } from '../model/storage.ts'
import { readWalPart } from './base-details.ts'
import { archivePrefix, isSegment } from './wal-files.ts'

/** When the newest segment was stored that continues a base backup; undefined for other backups. */
export async function lastArchivedAt(
  storage: Storage,
  keys: readonly string[],
  signal?: AbortSignal,
): Promise<Date | undefined> {
  const part = keys.map(readWalPart).find((found) => found !== undefined)
  if (part === undefined) return undefined
  const prefix = archivePrefix(part.archive)
  let last: Date | undefined
  for await (const { key, modifiedAt } of storage.list(prefix, signal))
    if (isSegment(key.slice(prefix.length)) && (last === undefined || modifiedAt > last)) last = modifiedAt
  return last
}
