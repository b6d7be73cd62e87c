import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startEmbeddedPostgres } from '@outgrow/databases'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string
  }
}

/** Starts one PostgreSQL for a whole test run. It is set to another time zone, which nothing may depend on. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const state = join(import.meta.dirname, '../../../.outgrow')
  mkdirSync(state, { recursive: true })
  const directory = mkdtempSync(join(state, 'test-'))
  const server = await startEmbeddedPostgres({
    directory,
    settings: ['fsync=off', 'max_connections=200', 'shared_buffers=128MB', 'log_timezone=UTC'],
    timezone: 'America/New_York',
  })
  project.provide('postgresUrl', server.url)
  return async () => {
    await server.stop('immediate')
    rmSync(directory, { recursive: true, force: true })
    rmSync(join(server.dataDirectory, '..'), { recursive: true, force: true })
    for (const name of readdirSync(state)) {
      if (name.startsWith('case-')) rmSync(join(state, name), { recursive: true, force: true })
    }
  }
}
