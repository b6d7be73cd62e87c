import type { Storage } from '../model/storage.ts'
import { readWalPart } from './base-details.ts'
import { chainOf } from './coverage.ts'
import { archivePrefix, isSegment } from './wal-files.ts'

/** The manifest says so as well, but only to those who have the key: the embedded server is made with PostgreSQL's default. */
const segmentBytes = 16 * (1 << 20)

/**
 * When the last segment was stored that a base backup can be continued to: what is behind a gap cannot be restored. Undefined
 * for other backups, and where not even the first is there.
 */
export async function lastArchivedAt(
  storage: Storage,
  keys: readonly string[],
  signal?: AbortSignal,
): Promise<Date | undefined> {
  const part = keys.map(readWalPart).find((found) => found !== undefined)
  if (part === undefined) return undefined
  const { archive, firstSegment } = part
  const prefix = archivePrefix(archive)
  const storedAt = new Map<string, Date>()
  for await (const { key, modifiedAt } of storage.list(prefix, signal)) {
    const name = key.slice(prefix.length)
    if (isSegment(name)) storedAt.set(name, modifiedAt)
  }
  const { chain } = chainOf({ firstSegment, lastSegment: firstSegment, segmentBytes }, storedAt)
  return storedAt.get(chain.at(-1) ?? '')
}
