import { join, resolve } from 'node:path'
import { hasEmbeddedPostgres, startEmbeddedPostgres, type EmbeddedPostgres } from '@outgrow/databases'

/** The work folder's embedded PostgreSQL, started when it was stopped; undefined where there is none. */
export async function runningEmbedded(workDirectory: string): Promise<EmbeddedPostgres | undefined> {
  const directory = join(resolve(workDirectory), 'postgres')
  return hasEmbeddedPostgres(directory) ? startEmbeddedPostgres({ directory }) : undefined
}
