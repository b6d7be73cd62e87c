import { basename, extname } from 'node:path'
import {
  openSqliteReadonly,
  quoteIdentifier,
  runningEmbedded,
  startEmbedded,
  withPostgres,
  type EmbeddedPostgres,
} from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { findRuns } from '../ledger/runs.ts'

/** One database of the embedded PostgreSQL: each move without a target of its own gets one. */
export interface TrialDatabase {
  name: string
  url: string
  sizeBytes: number
  /** The file that was moved into it, undefined while it is empty. */
  source: string | undefined
  status: 'empty' | 'unfinished' | 'published'
  /** ISO 8601; undefined while it is empty. */
  startedAt: string | undefined
}

/** Makes a database for a move, named by the file and the time. */
export async function newTrialDatabase(
  workDir: string,
  from: string,
): Promise<{ name: string; url: string }> {
  openSqliteReadonly(from).close() // what is wrong with the file is said before a server is started for it
  const server = await startEmbedded(workDir)
  const stem = basename(from, extname(from))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 40)
  const time = new Date().toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)
  return withPostgres(server.url, async (client) => {
    for (let number = 1; ; number++) {
      const name = `${stem}_${time}${number === 1 ? '' : `_${number}`}`
      try {
        await client.query(`CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE template0 ENCODING 'UTF8'`)
        return { name, url: urlOf(server, name) }
      } catch (error) {
        if ((error as { code?: string }).code !== '42P04') throw error // taken
      }
    }
  })
}

/** All of them, the newest first. Empty where there is no embedded PostgreSQL. */
export async function listTrialDatabases(workDir: string): Promise<TrialDatabase[]> {
  const server = await runningEmbedded(workDir)
  if (server === undefined) return []
  const databases = await withPostgres(server.url, async (client) => {
    const { rows } = await client.query<{ name: string; size: string }>(
      'SELECT datname AS name, pg_database_size(oid) AS size FROM pg_database WHERE NOT datistemplate AND datallowconn ORDER BY oid DESC',
    )
    return rows
  })
  const rehearsals: TrialDatabase[] = []
  for (const { name, size } of databases) {
    const url = urlOf(server, name)
    const [newest] = await withPostgres(url, findRuns)
    // The server's own database is listed only where an older version of this product has moved into it.
    if (name === 'postgres' && newest === undefined) continue
    rehearsals.push({
      name,
      url,
      sizeBytes: Number(size),
      source: newest?.staging.record.source,
      status: newest === undefined ? 'empty' : newest.status === 'published' ? 'published' : 'unfinished',
      startedAt: newest?.staging.record.startedAt,
    })
  }
  return rehearsals
}

/** The newest database that holds a run of this file. */
export async function findTrialDatabase(
  workDir: string,
  from: string,
  status: TrialDatabase['status'],
): Promise<TrialDatabase | undefined> {
  const all = await listTrialDatabases(workDir)
  return all.find((one) => one.source === from && one.status === status)
}

/** @throws Failure OUTGROW_OPTION_INVALID when there is none of that name */
export async function dropTrialDatabase(workDir: string, name: string): Promise<void> {
  const server = await runningEmbedded(workDir)
  const known = await listTrialDatabases(workDir)
  if (server === undefined || !known.some((one) => one.name === name) || name === 'postgres') {
    throw new Failure({
      code: 'OUTGROW_OPTION_INVALID',
      message: `The embedded PostgreSQL has no database named ${name} that can be dropped.`,
      fix: 'See outgrow postgres list.',
    })
  }
  await withPostgres(server.url, (client) =>
    client.query(`DROP DATABASE ${quoteIdentifier(name)} WITH (FORCE)`),
  )
}

function urlOf(server: EmbeddedPostgres, name: string): string {
  const url = new URL(server.url)
  url.pathname = `/${name}`
  return url.href
}
