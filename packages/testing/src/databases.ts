import { randomBytes } from 'node:crypto'
import { withPostgres } from '@outgrow/databases'
import { citusUrl, makeTenantSchema } from './citus.ts'

export interface TestDatabase {
  url: string
  /** Runs one statement and returns its rows. */
  query(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  drop(): Promise<void>
}

/** An empty database of its own on the test server; on a cluster, a schema. */
export async function makeDatabase(serverUrl: string, template = 'template0'): Promise<TestDatabase> {
  if (serverUrl === citusUrl) return makeTenantSchema(serverUrl)
  const name = `test_${randomBytes(8).toString('hex')}`
  await withPostgres(serverUrl, (client) =>
    client.query(`CREATE DATABASE ${name} TEMPLATE ${template} ENCODING 'UTF8'`),
  )
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    query: (sql, values) =>
      withPostgres(url.href, async (client) => {
        const { rows } = await client.query<Record<string, unknown>>(sql, values)
        return rows
      }),
    drop: () =>
      withPostgres(serverUrl, async (client) => {
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      }),
  }
}
