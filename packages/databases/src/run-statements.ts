import type { PostgresClient } from './postgres.ts'

/** Runs statements without parameters in one round trip; outside a transaction they are one of their own. */
export async function runStatements(client: PostgresClient, statements: readonly string[]): Promise<void> {
  if (statements.length > 0) await client.query(statements.join(';\n'))
}
