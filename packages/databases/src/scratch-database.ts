import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { removeEmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts'
import { makeOwnedFolder, removeAbandonedFolders } from './owned-folder.ts'
import { withPostgres } from './postgres.ts'
import { quoteIdentifier } from './quote.ts'
import { parsePostgresUrl } from './url.ts'

export interface ScratchOptions {
  /** A Postgres on whose server databases may be made; without one the embedded server is started. */
  server?: string | undefined
  /** Folder for what lives as long as the question. */
  directory?: string | undefined
}

/** Runs `use` with the URL of an empty database that is gone afterwards. */
export async function withScratchDatabase<Result>(
  provider: 'sqlite' | 'postgres',
  { server, directory = tmpdir() }: ScratchOptions,
  use: (url: string) => Promise<Result>,
): Promise<Result> {
  if (provider === 'postgres' && server !== undefined) return withDatabaseOn(server, use)
  await removeAbandonedScratch(directory)
  const name = `outgrow-scratch-${process.pid}-${randomBytes(4).toString('hex')}`
  const folder = makeOwnedFolder(join(directory, name))
  try {
    if (provider === 'sqlite') return await use(`file:${join(folder.path, 'scratch.db')}`)
    const embedded = await startEmbeddedPostgres({ directory: folder.path, settings: ['fsync=off'] })
    try {
      return await use(embedded.url)
    } finally {
      await embedded.stop('immediate')
      rmSync(dirname(embedded.dataDirectory), { recursive: true, force: true })
    }
  } finally {
    folder.remove()
  }
}

/** Removes what processes left in a folder that were killed: a server that goes on, and rows in the clear. */
export function removeAbandonedScratch(directory: string): Promise<void> {
  return removeAbandonedFolders(directory, /^outgrow-scratch-\d+-\w+$/, removeEmbeddedPostgres)
}

async function withDatabaseOn<Result>(
  server: string,
  use: (url: string) => Promise<Result>,
): Promise<Result> {
  const name = `outgrow_scratch_${randomBytes(6).toString('hex')}`
  const { url } = parsePostgresUrl(server)
  const scratch = new URL(url)
  scratch.pathname = `/${name}`
  scratch.searchParams.delete('schema')
  return withPostgres(server, async (client) => {
    await client.query(`CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE template0`)
    try {
      return await use(scratch.href)
    } finally {
      await client.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`)
    }
  })
}
