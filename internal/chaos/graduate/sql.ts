/** A transaction of the application, in whichever database. Statements name their parameters as ?. */
export interface Sql {
  provider: 'sqlite' | 'postgres'
  /** @returns how many rows it changed */
  run(text: string, values?: unknown[]): Promise<number>
  /** The facade's own way to `people`, where there is one. */
  people?: People
  /** @returns the first row */
  get(text: string, values?: unknown[]): Promise<Record<string, unknown> | undefined>
}

/** What the operations ask of a generated client's model. */
interface People {
  upsert(args: {
    where: { email: string }
    create: { id: string; email: string; name: string | null; preferences: never }
    update: { name: string | null; preferences: never }
  }): PromiseLike<unknown>
  findUnique(args: { where: { email: string } }): PromiseLike<{ id: string } | null>
  updateMany(args: { where: { email: string }; data: { invitedById: string } }): PromiseLike<unknown>
  deleteMany(args: { where: { email: string } }): PromiseLike<unknown>
}

/** A database of the application as one process has it open. */
export interface Side {
  /** Of now, where it follows by itself. */
  readonly provider: 'sqlite' | 'postgres'
  /** @throws Moved where the tables have gone to the other side, Unknown; whatever the driver throws */
  transaction<Result>(work: (sql: Sql) => Promise<Result>, mode: 'read' | 'write'): Promise<Result>
  /** From now on the disk is full for this process, or no longer. */
  limit(isFull: boolean): void
  close(): Promise<void>
}

/** The tables are not here any more. */
export class Moved extends Error {}

/** Whether the transaction was committed is not known. */
export class Unknown extends Error {}

/** What a server that goes away does to any application. */
export function isServerGone(message: string): boolean {
  return /terminat|ECONNRE|EPIPE|closed the connection|Connection|shutting down|starting up|57P0/i.test(
    message,
  )
}

/** Numbers the parameters as Postgres wants them. */
export function numbered(text: string): string {
  let at = 0
  return text.replaceAll('?', () => `$${++at}`)
}
