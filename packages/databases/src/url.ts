import { resolve } from 'node:path'
import { Failure } from '@outgrow/kit'

export interface SqliteUrl {
  kind: 'sqlite'
  /** Absolute path, or `:memory:`. */
  path: string
  parameters: URLSearchParams
}

export interface PostgresUrl {
  kind: 'postgres'
  /** The URL as given; holds secrets. */
  url: URL
  /** Prisma's `?schema=`; `public` without one. */
  schema: string
}

const expected = 'Expected file:./app.db, or postgresql://user:password@host:5432/database.'

/**
 * Reads a database URL. A `file:` path is resolved against `cwd`; `?key=value` parts are parameters, never part of the name.
 * @throws Failure OUTGROW_URL_INVALID
 */
export function parseDatabaseUrl(text: string, cwd = process.cwd()): SqliteUrl | PostgresUrl {
  const url = unquoted(text)
  if (/^postgres(ql)?:\/\//i.test(url)) return parsePostgres(url)
  if (/^file:/i.test(url)) return sqlite(url.slice('file:'.length), cwd)
  throw new Failure({
    code: 'OUTGROW_URL_INVALID',
    message:
      url === ''
        ? 'The database URL is empty or not set.'
        : `Not a database URL: ${/^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? 'it has no scheme'}`,
    why: 'The scheme decides which database is opened.',
    fix: expected,
  })
}

/**
 * Reads what names an SQLite file: a `file:` URL or a plain path.
 * @throws Failure OUTGROW_URL_INVALID
 */
export function parseSqliteSource(text: string, cwd = process.cwd()): SqliteUrl {
  if (/^file:/i.test(text) || /^(["'])file:/i.test(text)) {
    return parseDatabaseUrl(text, cwd) as SqliteUrl
  }
  if (/^[a-z][a-z0-9+.-]+:/i.test(text) && !/^[a-z]:[\\/]/i.test(text)) {
    throw new Failure({
      code: 'OUTGROW_URL_INVALID',
      message: `The source must be an SQLite file, not ${/^[a-z0-9+.-]+:/i.exec(text)?.[0] ?? 'this'}`,
      fix: 'Pass --from file:./app.db or the path of the file.',
    })
  }
  return { kind: 'sqlite', path: resolve(cwd, text), parameters: new URLSearchParams() }
}

/**
 * Reads a Postgres URL.
 * @throws Failure OUTGROW_URL_INVALID
 */
export function parsePostgresUrl(text: string): PostgresUrl {
  const parsed = parseDatabaseUrl(text)
  if (parsed.kind === 'postgres') return parsed
  throw new Failure({
    code: 'OUTGROW_URL_INVALID',
    message: 'The target must be a Postgres URL.',
    fix: 'Pass --to postgresql://user:password@host:5432/database.',
  })
}

/** What a shell or a .env file may have left around a URL is no part of it. */
export function unquoted(text: string | undefined): string {
  // Undefined: a variable that is not set, in a program that nobody type-checked.
  return (text ?? '').trim().replace(/^(["'])(.*)\1$/, '$2')
}

function sqlite(rest: string, cwd: string): SqliteUrl {
  const question = rest.indexOf('?')
  const name = question < 0 ? rest : rest.slice(0, question)
  const parameters = new URLSearchParams(question < 0 ? '' : rest.slice(question + 1))
  const path = decodePath(name.replace(/^\/\/(localhost)?(?=\/)/, ''))
  if (path === '') {
    throw new Failure({
      code: 'OUTGROW_URL_INVALID',
      message: 'The file: URL has no path.',
      fix: expected,
    })
  }
  return { kind: 'sqlite', path: path === ':memory:' ? path : resolve(cwd, path), parameters }
}

function decodePath(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name // a literal % in a file name
  }
}

function parsePostgres(text: string): PostgresUrl {
  let url: URL
  try {
    url = new URL(text)
  } catch (cause) {
    throw new Failure({
      code: 'OUTGROW_URL_INVALID',
      message: 'The Postgres URL cannot be read.',
      why: 'Its host, port or escaped characters are malformed. Special characters in a password must be percent-encoded.',
      fix: expected,
      cause: cause instanceof Error ? cause.name : cause,
    })
  }
  for (const part of ['username', 'password', 'hostname', 'pathname'] as const) {
    if (isDecodable(url[part])) continue
    throw new Failure({
      code: 'OUTGROW_URL_INVALID',
      message: `The ${part} in the Postgres URL contains a % that is not a valid escape.`,
      why: 'In a URL, % starts an escaped character.',
      fix: 'Write % as %25, and @ : / ? # as %40 %3A %2F %3F %23.',
    })
  }
  return { kind: 'postgres', url, schema: url.searchParams.get('schema') || 'public' }
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false // that it cannot be decoded is the answer
  }
}
