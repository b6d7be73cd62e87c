/** A schema after the pattern of real projects, and what it comes to. */
export interface ScaleCase {
  name: string
  schema: string
  /** Named where it cannot be guessed. */
  named?: string
  tenant: string
  /** Models of tenants; all others are shared. */
  tenants: string[]
  /** Rules that something breaks. */
  broken: number[]
}

/** Of a schema for Postgres. */
export const head = 'datasource db {\n  provider = "postgresql"\n}\n'
