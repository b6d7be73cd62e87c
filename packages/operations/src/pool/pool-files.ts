import { authRole, statsUser } from './names.ts'
import { directUrlFor, pooledUrlFor, statsUrlFor } from './pool-urls.ts'
import { renderIni } from './render-ini.ts'
import { renderSql, secretQuery, type SetupSql } from './render-sql.ts'
import { newPassword, scramSecret } from './scram.ts'
import type { PoolPlan } from './plan-pool.ts'
import type { PoolRequest } from './pool-request.ts'

export interface PoolFile {
  name: string
  /** Permissions. */
  mode: number
  text: string
  /** The text without its secrets. */
  shown: string
}

export interface PoolFiles {
  files: PoolFile[]
  /** What is to be run on the server, by database. It holds no password. */
  sql: SetupSql[]
  /** Without passwords. */
  urls: { name: string; url: string }[]
}

const hidden = '***'

/** Writes down what a plan comes to. The passwords in it are made here, and are in no other place. */
export function poolFiles(request: PoolRequest, plan: PoolPlan, databaseUrl: string | undefined): PoolFiles {
  const authPassword = request.auth === 'query' ? newPassword() : undefined
  const statsPassword = newPassword()
  const sql = renderSql(request, authPassword === undefined ? undefined : scramSecret(authPassword))
  const ini = renderIni(request, plan, secretQuery)
  const urls = (secret: (real: string) => string) => [
    { name: 'DATABASE_URL', url: pooledUrlFor(request, databaseUrl, secret) },
    { name: 'DIRECT_URL', url: directUrlFor(request, databaseUrl, secret) },
    { name: 'PGBOUNCER_ADMIN_URL', url: statsUrlFor(request, statsUser, secret(statsPassword)) },
  ]
  const env = (secret: (real: string) => string) =>
    urls(secret)
      .map(({ name, url }) => `${name}="${url}"\n`)
      .join('')
  const users = (secret: (real: string) => string) =>
    [
      ...(authPassword === undefined ? [] : [[authRole, authPassword] as const]),
      ...(request.auth === 'userlist'
        ? request.roles.map(({ name, secret = '' }) => [name, secret] as const)
        : []),
      [statsUser, scramSecret(statsPassword)] as const,
    ]
      .map(([name, value]) => `${quoted(name)} ${quoted(secret(value))}\n`)
      .join('')
  const real = (value: string) => value
  const hide = () => hidden
  const script = scriptOf(sql)
  return {
    files: [
      { name: 'pgbouncer.ini', mode: 0o640, text: ini, shown: ini },
      { name: 'userlist.txt', mode: 0o600, text: users(real), shown: users(hide) },
      {
        name: 'setup.sql',
        mode: 0o600,
        text: script,
        shown: script.replaceAll(/SCRAM-SHA-256\$[^']+/g, hidden),
      },
      { name: 'pool.env', mode: 0o600, text: env(real), shown: env(hide) },
    ],
    sql: sql.map(({ database, text }) => ({
      database,
      text: text.replaceAll(/SCRAM-SHA-256\$[^']+/g, hidden),
    })),
    urls: urls(hide),
  }
}

/** As psql runs it: it changes the database between the parts. */
function scriptOf(parts: SetupSql[]): string {
  return [
    '-- Run it with psql -v ON_ERROR_STOP=1 -f setup.sql, as a superuser, on the server itself and not through the pooler.',
    '',
    ...parts.flatMap(({ database, text }) => [`\\connect ${quoted(database)}`, '', text]),
  ].join('\n')
}

/** As userlist.txt and psql have it: quotes are doubled. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}
