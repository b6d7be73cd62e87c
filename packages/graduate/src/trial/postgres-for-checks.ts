import { startEmbedded, withPostgres } from '@outgrow/databases'
import type { CatalogServer } from '../flows/inspect.ts'

/**
 * Runs `use` with a Postgres that executes the tables' DDL: the target where one is given, else the embedded one, which is
 * stopped again when it was started for this.
 */
export async function withPostgresForChecks<Result>(
  { to, workDir }: { to?: string | undefined; workDir: string },
  use: (at: CatalogServer) => Promise<Result>,
): Promise<Result> {
  if (to !== undefined) return use({ url: to, isScratch: false })
  const server = await startEmbedded(workDir)
  try {
    return await use({ url: server.url, isScratch: true })
  } finally {
    if (server.started && !(await hasOthers(server.url))) await server.stop()
  }
}

/** Somebody else may have come to use the server meanwhile. */
function hasOthers(url: string): Promise<boolean> {
  return withPostgres(url, async (client) => {
    const { rows } = await client.query(
      "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1",
    )
    return rows.length > 0
  })
}
