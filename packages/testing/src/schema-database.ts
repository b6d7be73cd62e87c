import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite, withPostgres } from '@outgrow/databases'
import { diffDatamodels } from '@outgrow/schema'
import { makeDatabase } from './databases.ts'
import { temporaryFolder } from './sqlite.ts'

export interface SchemaDatabase {
  url: string
  drop(): Promise<void>
}

const root = join(import.meta.dirname, '../../..')

/** A fresh database with the tables of this repository's application. */
export function makeProductDatabase(
  provider: 'sqlite' | 'postgres',
  serverUrl: string,
): Promise<SchemaDatabase> {
  return makeSchemaDatabase(join(root, 'prisma'), provider, serverUrl)
}

/** A fresh database with the tables of the sample. */
export function makeSampleDatabase(
  provider: 'sqlite' | 'postgres',
  serverUrl: string,
): Promise<SchemaDatabase> {
  return makeSchemaDatabase(join(root, 'packages/sample/prisma'), provider, serverUrl)
}

async function makeSchemaDatabase(
  folder: string,
  provider: 'sqlite' | 'postgres',
  serverUrl: string,
): Promise<SchemaDatabase> {
  const schema = readFileSync(join(folder, provider, 'schema.prisma'), 'utf8')
  const ddl = await diffDatamodels(provider, undefined, schema)
  if (provider === 'sqlite') {
    const path = join(temporaryFolder(), 'app.db')
    const file = openSqlite(path)
    file.exec(ddl)
    file.close()
    return { url: `file:${path}`, drop: async () => {} }
  }
  const target = await makeDatabase(serverUrl)
  await withPostgres(target.url, (client) => client.query(ddl))
  return target
}
