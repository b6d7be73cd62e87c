import { makeSampleDatabase, type Backend } from '@outgrow/testing'
import { inject } from 'vitest'
import { openSample, type SampleDatabase } from '@outgrow/sample'

export interface OpenedDatabase {
  database: SampleDatabase
  url: string
  dispose(): Promise<void>
}

/** A fresh database of the sample schema, opened by the facade. */
export async function openFresh(backend: Backend, parameters = ''): Promise<OpenedDatabase> {
  const made = await makeSampleDatabase(backend, inject('postgresUrl'))
  const url = `${made.url}${parameters}`
  const database = await openSample(url)
  return {
    database,
    url,
    dispose: async () => {
      await database.close()
      await made.drop()
    },
  }
}
