import { Failure } from '@outgrow/kit'
import { z } from 'zod'
import type { Manifest } from '../model/manifest.ts'

/** Names of its parts. */
export const baseParts = { files: 'base.tar', password: 'password' } as const

/** An empty part, whose name says from which segment on the WAL of an archive is needed: also to those who have no key. */
export function walPart({ archive, firstSegment }: Pick<BaseDetails, 'archive' | 'firstSegment'>): string {
  return `wal-from.${archive}.${firstSegment}`
}

/** What the key of such a part says; undefined for all others. */
export function readWalPart(key: string): { archive: string; firstSegment: string } | undefined {
  const [, archive, firstSegment] = /\/wal-from\.([\w-]+)\.([0-9A-F]{24})$/.exec(key) ?? []
  return archive === undefined || firstSegment === undefined ? undefined : { archive, firstSegment }
}

/** What recovery from a base backup needs, kept in its manifest. */
const baseDetails = z.object({
  /** Of which its WAL is. */
  archive: z.string(),
  systemIdentifier: z.string(),
  segmentBytes: z.number().int().positive(),
  /** WAL is needed from this segment on. */
  firstSegment: z.string(),
  /** Up to this one at least: before its end the files are not consistent. */
  lastSegment: z.string(),
  /** By the server's clock: it can be restored to no earlier time. */
  consistentAt: z.iso.datetime(),
})

export type BaseDetails = z.infer<typeof baseDetails>

/** @throws Failure OUTGROW_BACKUP_VERSION */
export function baseDetailsOf(manifest: Manifest): BaseDetails {
  const details = baseDetails.safeParse(manifest.details)
  if (details.success) return details.data
  throw new Failure({
    code: 'OUTGROW_BACKUP_VERSION',
    message: `${manifest.id} was written in a format that this version of Outgrow does not know.`,
    fix: 'Use the version of Outgrow that made the backup, or a later one.',
  })
}
