import type { SchemaSource } from '@outgrow/schema'

/** What of a schema says that its client goes through a driver adapter, before Prisma 7, where every client does. */
const usesAdapter =
  /"driverAdapters"|"queryCompiler"|^\s*engineType\s*=\s*"client"|^\s*provider\s*=\s*"prisma-client"/m

/**
 * How the application's client writes moments into SQLite: a driver adapter as ISO text, Prisma's own engine (version 6 and
 * before) as milliseconds. Within one column they do not sort together.
 */
export function momentsOf({ prisma, files }: SchemaSource): 'iso' | 'number' {
  if (prisma === undefined || prisma.major >= 7) return 'iso'
  return files.some(([, text]) => usesAdapter.test(text)) ? 'iso' : 'number'
}
