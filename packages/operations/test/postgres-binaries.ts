import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : []

/** The system's PostgreSQL, which has a pg_dump; what comes along with the product has none. */
export const binaries = versions
  .map((version) => join('/usr/lib/postgresql', version, 'bin'))
  .find((folder) => existsSync(join(folder, 'pg_dump')) && existsSync(join(folder, 'initdb')))

/** What pg_dump says of a database, its rows included, line by line. */
export async function dumpOf(url: string, args: string[] = []): Promise<string[]> {
  const { username, password, hostname, port, pathname } = new URL(url)
  const { stdout } = await promisify(execFile)(
    join(binaries as string, 'pg_dump'),
    ['-h', hostname, '-p', port, '-U', username, ...args, pathname.slice(1)],
    { env: { PGPASSWORD: decodeURIComponent(password) }, maxBuffer: 1e9 },
  )
  return stdout.split('\n').filter((line) => !/^\\(un)?restrict /.test(line))
}
