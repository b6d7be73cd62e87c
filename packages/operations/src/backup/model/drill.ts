import { z } from 'zod'

/** What of a drill can be read without the key; bound to the rest by the seal. */
export const drillHeader = z.object({
  /** The backup that was restored. */
  id: z.string(),
  at: z.iso.datetime(),
  ok: z.boolean(),
  /** From the first byte read to the last digest compared. */
  ms: z.number().nonnegative(),
  keyId: z.string().nullable(),
})

export const drillSchema = drillHeader.extend({
  outgrow: z.string(),
  /** What it was restored into: `PostgreSQL 18.4`. */
  server: z.string(),
  /** Whether each table was compared with its digest. Of a server's files there are none: there the rows are read. */
  compared: z.boolean(),
  tables: z.number().int().nonnegative(),
  rows: z.number().int().nonnegative(),
  /** Why it failed. */
  problems: z.array(z.string()),
  /** What could not be proved there. */
  notes: z.array(z.string()).default([]),
})

export type DrillHeader = z.infer<typeof drillHeader>
/** A restore into a scratch database, with every digest compared. */
export type Drill = z.infer<typeof drillSchema>
