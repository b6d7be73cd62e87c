import { join } from 'node:path'
import { openDatabase, type Database } from '@outgrow/client'
import type { PrismaClient } from './generated/sqlite/client.ts'

export { Prisma, PrismaClient } from './generated/sqlite/client.ts'

/** A database with the sample's tables. */
export type SampleDatabase = Database<PrismaClient>

export const sampleClients = {
  sqlite: () => import('./generated/sqlite/client.ts'),
  postgres: () => import('./generated/postgres/client.ts'),
}

/** Opens a database that has the sample's tables. */
export function openSample(url: string): Promise<SampleDatabase> {
  return openDatabase<PrismaClient>(sampleClients, url)
}

/** The schema's file; `sqlite/` and `postgres/` with their migrations lie beside it. */
export const sampleSchema = join(import.meta.dirname, '../prisma/schema.prisma')
