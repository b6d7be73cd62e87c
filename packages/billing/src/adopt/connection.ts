export type Row = Record<string, unknown>

/** All that adopting asks of a database. Parameters are written as `?`. */
export interface AdoptConnection {
  provider: 'sqlite' | 'postgres'
  query(sql: string, values?: unknown[]): Promise<Row[]>
  script(sql: string): Promise<void>
}
