import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { hasEmbeddedPostgres, startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.ts'
import { makeFolder } from './make-folder.ts'

/**
 * `.outgrow/`, which holds the embedded Postgres and files of runs: rows, secrets and findings, for the owner's eyes only
 * and not to be committed. A folder that somebody else has made keeps its mode.
 */
export function stateDirectory(workDirectory = '.outgrow'): string {
  const path = resolve(workDirectory)
  const isNew = makeFolder(path, 0o700)
  if (isNew || basename(path) === '.outgrow') {
    chmodSync(path, 0o700)
    const ignore = join(path, '.gitignore')
    if (!existsSync(ignore)) writeFileSync(ignore, '*\n', { mode: 0o600 })
  }
  return path
}

/**
 * Starts the work folder's embedded PostgreSQL, which is made on first use.
 * @throws Failure OUTGROW_EMBEDDED_POSTGRES
 */
export function startEmbedded(workDirectory: string): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ directory: join(stateDirectory(workDirectory), 'postgres') })
}

/** The work folder's embedded PostgreSQL, started when it was stopped; undefined where there is none. */
export async function runningEmbedded(workDirectory: string): Promise<EmbeddedPostgres | undefined> {
  const directory = join(resolve(workDirectory), 'postgres')
  return hasEmbeddedPostgres(directory) ? startEmbeddedPostgres({ directory }) : undefined
}
