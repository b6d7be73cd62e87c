import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite, withPostgres } from '@outgrow/databases'
import { assertNever } from '@outgrow/kit'
import { diffDatamodels } from '@outgrow/schema'
import { makeDatabase } from './databases.ts'
import { hasPgbouncer, makePooledDatabase, type PoolerSettings } from './pooler.ts'
import { temporaryFolder } from './sqlite.ts'

export interface SchemaDatabase {
  url: string
  /** Past the pooler, where there is one. */
  directUrl: string
  /** Of the pooler's console. */
  adminUrl?: string
  drop(): Promise<void>
}

/** What the product runs on: a suite that holds on one holds on all. */
export const backends = ['sqlite', 'postgres', 'postgres behind pgbouncer'] as const

export type Backend = (typeof backends)[number]

/** Puts a pooler in front of each Postgres of a suite that was written for the server itself. */
const putsBehind = process.env.OUTGROW_BEHIND_PGBOUNCER === '1'

export function isThere(backend: Backend): boolean {
  return backend !== 'postgres behind pgbouncer' || hasPgbouncer
}

const root = join(import.meta.dirname, '../../..')

/** A fresh database with the tables of this repository's application. */
export function makeProductDatabase(backend: Backend, serverUrl: string): Promise<SchemaDatabase> {
  return makeSchemaDatabase(join(root, 'prisma'), backend, serverUrl)
}

/** A fresh database with the tables of the sample. */
export function makeSampleDatabase(
  backend: Backend,
  serverUrl: string,
  pooler: PoolerSettings = {},
): Promise<SchemaDatabase> {
  return makeSchemaDatabase(join(root, 'packages/sample/prisma'), backend, serverUrl, pooler)
}

async function makeSchemaDatabase(
  folder: string,
  backend: Backend,
  serverUrl: string,
  pooler: PoolerSettings = {},
): Promise<SchemaDatabase> {
  const provider = backend === 'sqlite' ? 'sqlite' : 'postgres'
  const schema = readFileSync(join(folder, provider, 'schema.prisma'), 'utf8')
  const ddl = await diffDatamodels(provider, undefined, schema)
  const chosen: Backend = backend === 'postgres' && putsBehind ? 'postgres behind pgbouncer' : backend
  switch (chosen) {
    case 'sqlite': {
      const path = join(temporaryFolder(), 'app.db')
      const file = openSqlite(path)
      file.exec(ddl)
      file.close()
      return { url: `file:${path}`, directUrl: `file:${path}`, drop: async () => {} }
    }
    case 'postgres': {
      const { url, drop } = await makeDatabase(serverUrl)
      await withPostgres(url, (client) => client.query(ddl))
      return { url, directUrl: url, drop }
    }
    case 'postgres behind pgbouncer': {
      const pooled = await makePooledDatabase(serverUrl, pooler)
      await withPostgres(pooled.directUrl, (client) => client.query(ddl))
      return pooled
    }
    default:
      return assertNever(chosen)
  }
}
