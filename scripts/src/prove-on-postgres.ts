import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startEmbeddedPostgres, withPostgres } from '@outgrow/databases'
import { Failure, messageOf } from '@outgrow/kit'
import { stateDirectory } from './state-directory.ts'

/** Executes DDL on a Postgres that lives for this one question. */
export async function proveOnPostgres(ddl: string): Promise<void> {
  const directory = mkdtempSync(join(stateDirectory(), 'check-'))
  const server = await startEmbeddedPostgres({ directory, settings: ['fsync=off'] })
  try {
    await withPostgres(server.url, async (client) => {
      try {
        await client.query(ddl)
      } catch (cause) {
        throw new Failure({
          code: 'OUTGROW_SCHEMA_DDL',
          message: `Postgres refuses the generated tables: ${messageOf(cause)}`,
          fix: 'Write the member that Postgres does not take in a comment: // outgrow:postgres …',
          cause,
        })
      }
    })
  } finally {
    await server.stop('immediate')
    rmSync(directory, { recursive: true, force: true })
  }
}
