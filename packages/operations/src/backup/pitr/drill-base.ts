import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { embeddedFolder, quoteIdentifier, stopEmbeddedPostgres, withPostgres } from '@outgrow/databases'
import { withScratchFolder } from '../sqlite/scratch.ts'
import { recover, type RecoverRequest } from './recover.ts'

export interface TriedBase {
  server: string
  /** There are no digests to compare. */
  compared: false
  tables: number
  rows: number
}

/**
 * Restores a server from a base backup and all WAL that follows, in a folder that is removed afterwards, and reads every row of
 * every table. The server checks each page that it reads by its checksum.
 */
export function drillBase(request: Omit<RecoverRequest, 'at'>): Promise<TriedBase> {
  return withScratchFolder(request.workDir, async (workDir) => {
    const directory = join(workDir, 'postgres')
    try {
      const { server, base } = await recover({ ...request, workDir, at: undefined, isDurable: false })
      const tried: TriedBase = {
        server: base.manifest.versions.server,
        compared: false,
        tables: 0,
        rows: 0,
      }
      for (const database of await databasesOf(server.url)) {
        const url = new URL(server.url)
        url.pathname = `/${encodeURIComponent(database)}`
        for (const rows of await countRows(url.href, request.signal)) {
          tried.tables++
          tried.rows += rows
        }
      }
      return tried
    } finally {
      await stopEmbeddedPostgres(directory, 'immediate')
      rmSync(embeddedFolder(directory).directory, { recursive: true, force: true })
    }
  })
}

function databasesOf(url: string): Promise<string[]> {
  return withPostgres(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'SELECT datname AS name FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname',
    )
    return rows.map(({ name }) => name)
  })
}

/** Of each table. As text, a row is read with all that is stored beside it. */
function countRows(url: string, signal: AbortSignal): Promise<number[]> {
  return withPostgres(url, async (client) => {
    const { rows: tables } = await client.query<{ schema: string; name: string }>(
      `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%'`,
    )
    const counts: number[] = []
    for (const { schema, name } of tables) {
      signal.throwIfAborted()
      const table = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
      const { rows } = await client.query<{ rows: string }>(`SELECT count(t::text) AS rows FROM ${table} t`)
      counts.push(Number(rows[0]?.rows))
    }
    return counts
  })
}
