import { randomBytes } from 'node:crypto'
import { withPostgres } from '@outgrow/databases'
import type { TestDatabase } from './databases.ts'

/** A coordinator with workers, where somebody has one: its `postgresql:` URL. */
export const citusUrl: string | undefined = process.env.OUTGROW_CITUS_URL || undefined

export interface CitusCluster {
  citus: string
  postgres: string
  workers: number
}

/** Throws where the URL leads to anything else than a coordinator with two workers: a run there proves nothing. */
export async function readCitus(url: string): Promise<CitusCluster> {
  return withPostgres(url, async (client) => {
    const ask = async (sql: string) => (await client.query<{ value: string }>(sql)).rows[0]?.value
    const citus = await ask("SELECT extversion AS value FROM pg_extension WHERE extname = 'citus'")
    const workers = citus && (await ask('SELECT count(*) AS value FROM citus_get_active_worker_nodes()'))
    if (citus !== undefined && Number(workers) >= 2)
      return { citus, postgres: (await ask('SHOW server_version')) ?? '', workers: Number(workers) }
    const found = citus === undefined ? 'has no extension citus' : `has ${workers ?? 0} workers`
    throw new Error(
      `OUTGROW_CITUS_URL must lead to a Citus coordinator with two workers or more, and that database ${found}: docs/scale.md`,
    )
  })
}

/** An empty schema of its own, which the cluster keeps on one of its workers, as it does with a tenant. */
export async function makeTenantSchema(coordinator: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`
  await withPostgres(coordinator, async (client) => {
    await client.query('SET citus.enable_schema_based_sharding TO on')
    await client.query(`CREATE SCHEMA ${name}`)
  })
  const url = new URL(coordinator)
  url.searchParams.set('schema', name)
  url.searchParams.set('options', `-c search_path=${name}`)
  return {
    url: url.href,
    query: (sql, values) =>
      withPostgres(url.href, async (client) => {
        const { rows } = await client.query<Record<string, unknown>>(sql, values)
        return rows
      }),
    drop: () =>
      withPostgres(coordinator, async (client) => {
        await client.query(`DROP SCHEMA IF EXISTS ${name} CASCADE`)
      }),
  }
}
