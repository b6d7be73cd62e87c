import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite, withPostgres } from '@outgrow/databases'
import { diffDatamodels } from '@outgrow/schema'
import { makeDatabase } from './databases.ts'
import { temporaryFolder } from './sqlite.ts'

export interface ProductDatabase {
  url: string
  drop(): Promise<void>
}

/** A fresh database with the tables of the product's own schema. */
export async function makeProductDatabase(
  provider: 'sqlite' | 'postgres',
  serverUrl: string,
): Promise<ProductDatabase> {
  const schema = readFileSync(join(import.meta.dirname, `../../../prisma/${provider}/schema.prisma`), 'utf8')
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
