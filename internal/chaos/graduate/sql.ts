/** A transaction of the application, in whichever database. Statements name their parameters as ?. */
export interface Sql {
  provider: 'sqlite' | 'postgres'
  /** @returns how many rows it changed */
  run(text: string, values?: unknown[]): Promise<number>
  /** @returns the first row */
  get(text: string, values?: unknown[]): Promise<Record<string, unknown> | undefined>
}

/** A database of the application as one process has it open. */
export interface Side {
  provider: 'sqlite' | 'postgres'
  /** @throws Moved where the tables have gone to the other side; whatever the driver throws */
  transaction<Result>(work: (sql: Sql) => Promise<Result>, mode: 'read' | 'write'): Promise<Result>
  /** From now on the disk is full for this process, or no longer. */
  limit(isFull: boolean): void
  close(): Promise<void>
}

/** The tables are not here any more. */
export class Moved extends Error {}

/** Whether the transaction was committed is not known. */
export class Unknown extends Error {}

/** Numbers the parameters as Postgres wants them. */
export function numbered(text: string): string {
  let at = 0
  return text.replaceAll('?', () => `$${++at}`)
}
