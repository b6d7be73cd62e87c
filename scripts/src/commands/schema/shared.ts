import { Option } from 'commander'
import type { ScratchOptions } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { stateDirectory } from '@outgrow/databases'

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

/** @throws Failure OUTGROW_OPTION_INVALID */
export function databaseOf({ to = process.env.DATABASE_URL }: { to?: string }): string {
  if (to !== undefined && to !== '') return to
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: 'No database was named.',
    fix: 'Pass --to file:./dev.db or a Postgres URL, or set DATABASE_URL.',
  })
}

export const schemaOption = [
  '--schema <path>',
  'schema file or folder that the migrations belong to',
  'prisma/schema.prisma',
] as const
export const toOption = ['--to <url>', 'file: or Postgres URL (default: DATABASE_URL)'] as const
export const jsonOption = ['--json', 'print one JSON document on stdout'] as const
