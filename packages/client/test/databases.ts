import { makeDatabase, temporaryFolder } from '@outgrow/testing'
import { openSqlite, withPostgres } from '@outgrow/databases'
import { diffDatamodels } from '@outgrow/schema'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import { openDatabase, type Database } from '../src/index.ts'

export interface OpenedDatabase {
  database: Database
  url: string
  dispose(): Promise<void>
}

const schemaOf = (provider: 'sqlite' | 'postgres') =>
  readFileSync(join(import.meta.dirname, `../../../prisma/${provider}/schema.prisma`), 'utf8')

/** A fresh database of the example schema, opened by the facade. */
export async function openFresh(provider: 'sqlite' | 'postgres', parameters = ''): Promise<OpenedDatabase> {
  const ddl = await diffDatamodels(provider, undefined, schemaOf(provider))
  if (provider === 'sqlite') {
    const path = join(temporaryFolder(), 'app.db')
    const file = openSqlite(path)
    file.exec(ddl)
    file.close()
    const url = `file:${path}${parameters}`
    const database = await openDatabase(url)
    return { database, url, dispose: () => database.close() }
  }
  const target = await makeDatabase(inject('postgresUrl'))
  await withPostgres(target.url, (client) => client.query(ddl))
  const database = await openDatabase(target.url)
  return {
    database,
    url: target.url,
    dispose: async () => {
      await database.close()
      await target.drop()
    },
  }
}
