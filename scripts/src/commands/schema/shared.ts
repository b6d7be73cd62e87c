import { Option } from 'commander'
import type { ScratchOptions } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { sessionUrlOf, stateDirectory } from '@outgrow/databases'

export interface ShadowOptions {
  shadow?: string
}

export const shadowOption = (): Option =>
  new Option(
    '--shadow <url>',
    'Postgres server where a temporary database for comparing may be created (default: SHADOW_DATABASE_URL, else the embedded one)',
  )

/** Where databases that live for one question are made. */
export function scratchOf({ shadow = process.env.SHADOW_DATABASE_URL }: ShadowOptions): ScratchOptions {
  return {
    server: shadow === '' ? undefined : shadow,
    // Not made before the schema is known to be good.
    get directory() {
      return stateDirectory()
    },
  }
}

/**
 * The database that `--to` or DATABASE_URL names. What is named is taken as it is; the way to DATABASE_URL past a pooler is
 * DIRECT_URL.
 * @throws Failure OUTGROW_OPTION_INVALID, OUTGROW_DIRECT_URL_OTHER, OUTGROW_DIRECT_URL_UNCHECKED
 */
export async function databaseOf({ to }: { to?: string }): Promise<string> {
  if (to !== undefined && to !== '') return to
  const application = process.env.DATABASE_URL ?? ''
  if (to === undefined && application !== '') return sessionUrlOf(application)
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: 'No database was named.',
    fix: 'Pass --to file:./dev.db or a Postgres URL, or set DATABASE_URL.',
  })
}

/** The databases that the environment names, as migrations reach them. */
export async function databasesOfProject(): Promise<string[]> {
  const named = [process.env.DATABASE_URL, process.env.POSTGRES_URL].filter(
    (url) => url !== undefined && url !== '',
  )
  return Promise.all(named.map((url) => sessionUrlOf(url as string)))
}

export const schemaOption = [
  '--schema <path>',
  'schema file or folder that the migrations belong to',
  'prisma/schema.prisma',
] as const
export const toOption = [
  '--to <url>',
  'file: or Postgres URL (default: DATABASE_URL; behind a pooler its DIRECT_URL)',
] as const
export const jsonOption = ['--json', 'print one JSON document on stdout'] as const
