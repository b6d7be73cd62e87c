export type Row = Record<string, unknown>

/** All that adopting asks of a database, inside of one transaction. Parameters are written as `?`. */
export interface AdoptConnection {
  provider: 'sqlite' | 'postgres'
  query(sql: string, values?: unknown[]): Promise<Row[]>
  script(sql: string): Promise<void>
  /** Names of a table's columns; empty when there is no such table. */
  columnsOf(table: string): Promise<string[]>
  /** Whether one column alone is unique. */
  isUnique(table: string, column: string): Promise<boolean>
}
