import { z } from 'zod'

/** A sha256, in hex. */
const digest = z.string().regex(/^[0-9a-f]{64}$/)
const bytes = z.number().int().nonnegative()
const time = z.iso.datetime()

const backupPart = z.object({
  /** Its object is `<id>/<name>`. */
  name: z.string(),
  storedBytes: bytes,
  /** Before it was compressed. */
  plainBytes: bytes,
  /** Of the plain bytes. */
  digest,
})

const tableDigest = z.object({
  /** As messages name it: `posts`, or `public.posts`. */
  name: z.string(),
  rows: z.number().int().nonnegative(),
  /** Independent of the order of rows. Made of type names and values' bytes, never of numbers that only one server knows. */
  digest: z.string(),
})

/** What of a backup can be read without its key; bound to the rest by the seal. */
export const manifestHeader = z.object({
  id: z.string(),
  provider: z.enum(['sqlite', 'postgres']),
  /** `file`: a copy of an SQLite file. `dump`: schema and rows. `base`: a server's files, which continue with its WAL. */
  method: z.enum(['file', 'dump', 'base']),
  /** When its state was taken: nothing that was committed later is in it. */
  createdAt: time,
  finishedAt: time,
  storedBytes: bytes,
  plainBytes: bytes,
  /** Fingerprint of the key; null for an unencrypted backup. */
  keyId: z.string().nullable(),
})

const manifestBody = z.object({
  /** Of Outgrow, and of what the backup was made from: `SQLite 3.54.1`, `PostgreSQL 18.4`. */
  versions: z.object({ outgrow: z.string(), server: z.string() }),
  parts: z.array(backupPart),
  tables: z.array(tableDigest),
  /** Statements, as the database keeps them. */
  schema: z.string(),
  /** What a reader should know, such as what is not in it. */
  notes: z.array(z.string()),
  /** What was wrong with the database that was backed up; empty when nothing was. */
  damage: z.array(z.string()),
  /** What the method's own restore needs. */
  details: z.record(z.string(), z.unknown()),
})

export const manifestSchema = manifestHeader.extend(manifestBody.shape)

export type BackupPart = z.infer<typeof backupPart>
export type TableDigest = z.infer<typeof tableDigest>
export type ManifestHeader = z.infer<typeof manifestHeader>
/** All that is known of a backup. Written last: without it nothing is a backup. */
export type Manifest = z.infer<typeof manifestSchema>
export type BackupProvider = Manifest['provider']
