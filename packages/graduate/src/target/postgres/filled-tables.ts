import { pipelined, type PostgresClient } from '@outgrow/databases'
import { qualified } from './constraints.ts'

/** Which of the tables have rows. */
export async function filledTables<Table extends { schema: string; name: string }>(
  client: PostgresClient,
  tables: readonly Table[],
): Promise<Table[]> {
  const found = await pipelined(client, () =>
    tables.map((table) => client.query(`SELECT 1 FROM ${qualified(table)} LIMIT 1`)),
  )
  return tables.filter((_, at) => found[at]?.rows.length === 1)
}
