import { existsSync, realpathSync } from 'node:fs'
import { parseDatabaseUrl } from '@outgrow/databases'

/** Which database a sample is of: the file's path, or server, port and name. Holds no user and no password. */
export function identityOf(url: string): string {
  const parsed = parseDatabaseUrl(url)
  if (parsed.kind === 'sqlite')
    return `file:${existsSync(parsed.path) ? realpathSync(parsed.path) : parsed.path}`
  const { hostname, port, pathname } = parsed.url
  return `postgres://${hostname}:${port === '' ? '5432' : port}${pathname}?schema=${parsed.schema}`
}
