import { existsSync } from 'node:fs'
import {
  isSameTarget,
  openSqliteReadonly,
  parseDatabaseUrl,
  parsePostgresUrl,
  readAuthority,
  readTargetIdentity,
  sessionUrlOf,
  withoutSidecarFiles,
} from '@outgrow/databases'
import { databaseUrl } from '../billing/context.ts'

/**
 * The database that an option names, as it is. Without one, where the application's rows are: in DATABASE_URL, or, once a file
 * has graduated, in the Postgres of POSTGRES_URL that it went to; past a pooler where DIRECT_URL leads past it.
 */
export async function backedUpUrl(given: string | undefined): Promise<string> {
  const url = databaseUrl(given)
  if (given !== undefined) return url
  const parsed = parseDatabaseUrl(url)
  if (parsed.kind === 'postgres') return sessionUrlOf(url)
  const { POSTGRES_URL } = process.env
  if (!POSTGRES_URL || parsed.path === ':memory:' || !existsSync(parsed.path)) return url
  const authority = await authorityOf(parsed.path)
  if (authority?.side !== 'postgres') return url
  const target = await sessionUrlOf(parsePostgresUrl(POSTGRES_URL).url.href)
  // Another one is no place where these rows are: the file is refused then, with the reason.
  return isSameTarget(authority.target, await readTargetIdentity(parsePostgresUrl(target))) ? target : url
}

function authorityOf(path: string) {
  return withoutSidecarFiles(path, async () => {
    const database = openSqliteReadonly(path)
    try {
      return readAuthority(database)
    } finally {
      database.close()
    }
  })
}
