export type Row = Record<string, unknown>

/** All that adopting asks of a database. Parameters are written as `?`. */
export interface AdoptConnection {
  provider: 'sqlite' | 'postgres'
  /** The schema of Postgres that has the inbox, or gets it: another's inbox beside it is another application's. */
  schema: string | undefined
  query(sql: string, values?: unknown[]): Promise<Row[]>
  script(sql: string): Promise<void>
}
