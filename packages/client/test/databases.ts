import { makeProductDatabase } from '@outgrow/testing'
import { inject } from 'vitest'
import { openDatabase, type Database } from '../src/index.ts'

export interface OpenedDatabase {
  database: Database
  url: string
  dispose(): Promise<void>
}

/** A fresh database of the example schema, opened by the facade. */
export async function openFresh(provider: 'sqlite' | 'postgres', parameters = ''): Promise<OpenedDatabase> {
  const made = await makeProductDatabase(provider, inject('postgresUrl'))
  const url = `${made.url}${parameters}`
  const database = await openDatabase(url)
  return {
    database,
    url,
    dispose: async () => {
      await database.close()
      await made.drop()
    },
  }
}
