import { z } from 'zod'
import type { Manifest } from '../model/manifest.ts'
import { unknownVersion } from '../seal/header.ts'

/** A table's rows in a backup. */
const storedTable = z.object({
  /** As SQL names it, with its schema; or `large objects`. */
  label: z.string(),
  columns: z.array(z.object({ name: z.string(), asText: z.boolean() })),
  /** Of an extension's table: which rows are the user's. */
  condition: z.string(),
  isPartitioned: z.boolean(),
})

const storedSequence = z.object({ label: z.string(), last: z.string(), isCalled: z.boolean() })

const describedItem = z.object({ kind: z.string(), name: z.string(), definition: z.string() })

/** A setting that belongs to the database, for all roles or for one. */
const databaseSetting = z.object({ role: z.string().nullable(), name: z.string(), value: z.string() })

/** What a restore of a Postgres backup needs, beside its scripts and rows. */
const postgresDetails = z.object({
  /** Where the manifest's schema is cut: what comes before builds the tables, the rest is for when they are filled. */
  postDataAt: z.number().int(),
  /** `180004` */
  serverVersion: z.number().int(),
  /** Parts with rows, and the tables in them by their place in `tables`, in order. */
  parts: z.array(z.object({ name: z.string(), tables: z.array(z.number().int()) })),
  tables: z.array(storedTable),
  sequences: z.array(storedSequence),
  extensions: z.array(z.object({ name: z.string(), version: z.string() })),
  /** The database's own collations that are used, by name. */
  collations: z.array(z.string()),
  /** By which the database sorts texts, unless they say otherwise. */
  collation: z.string(),
  tablespaces: z.array(z.string()),
  roles: z.object({
    /** They own something. */
    owners: z.array(z.string()),
    /** Something is granted to them. */
    grantees: z.array(z.string()),
    /** Policies name them. */
    inPolicies: z.array(z.string()),
  }),
  settings: z.array(databaseSetting),
  comment: z.string().nullable(),
  structure: z.array(describedItem),
})

/** @throws Failure OUTGROW_BACKUP_VERSION */
export function detailsOf({ id, details }: Manifest): PostgresDetails {
  const known = postgresDetails.safeParse(details)
  if (known.success) return known.data
  throw unknownVersion(id)
}

export type PostgresDetails = z.infer<typeof postgresDetails>
export type StoredTable = z.infer<typeof storedTable>
export type StoredSequence = z.infer<typeof storedSequence>
