/** What became of one feature of the schema on one of the two databases. */
export interface SchemaFinding {
  /** `OUTGROW_SCHEMA_…`, listed in docs/errors.md. */
  code: `OUTGROW_SCHEMA_${string}`
  file: string
  /** 1-based. */
  line: number
  model: string | null
  field: string | null
  /** The feature as it is written, such as `@db.VarChar(20)`. */
  feature: string
  /** `noted`: as it was, with something to know about it. */
  action: 'copied' | 'noted' | 'rewritten' | 'dropped' | 'refused'
  reason: string
  /** What to write instead, where there is something to do. */
  suggestion: string | null
}
