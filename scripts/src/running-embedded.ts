import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { startEmbeddedPostgres } from '@outgrow/databases'

/** URL of the work folder's embedded PostgreSQL, started when it was stopped; undefined where there is none. */
export async function runningEmbedded(workDirectory: string): Promise<string | undefined> {
  const directory = join(resolve(workDirectory), 'postgres')
  if (!existsSync(directory)) return undefined
  return (await startEmbeddedPostgres({ directory })).url
}
