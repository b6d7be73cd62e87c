import { connectionLimit, notesFor, parsePostgresUrl, poolTimeoutSeconds } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { authRole } from './names.ts'
import { planPool, type PoolPlan } from './plan-pool.ts'
import { poolFiles, type PoolFiles } from './pool-files.ts'
import { unknownHost, unknownPassword } from './pool-urls.ts'
import { pooledServer, weakerThan } from './pooled-server.ts'
import { readServer, type ServerFacts } from './read-server.ts'
import type { PoolAuth, PooledRole, PoolRequest } from './pool-request.ts'

export interface PrepareRequest {
  cores: number
  processes: number
  connectionLimit: number | undefined
  maxConnections: number | undefined
  auth: PoolAuth
  listen: PoolRequest['listen']
  /** Where the pooler finds its files. */
  folder: string
  /** The server itself, which is asked where it is given. */
  databaseUrl: string | undefined
  /** Those of the URL, where none are named. */
  databases: string[]
  roles: string[]
}

export interface PreparedPool extends PoolFiles {
  request: PoolRequest
  plan: PoolPlan
  /** What the server said; undefined where it was not asked. */
  server: ServerFacts | undefined
  /** What deserves a look. */
  notes: string[]
}

/**
 * Computes a pooler, with what the server says of itself, and renders all of its files. Nothing is written.
 * @throws Failure OUTGROW_POOL_NO_ROOM, OUTGROW_POOL_UNKNOWN_NAME, OUTGROW_POOL_SECRET, OUTGROW_OPTION_INVALID,
 *   OUTGROW_TARGET_POOLED, OUTGROW_POSTGRES_UNREACHABLE, OUTGROW_URL_INVALID
 */
export async function preparePool(asked: PrepareRequest): Promise<PreparedPool> {
  const { databaseUrl, maxConnections } = asked
  const target = databaseUrl === undefined ? undefined : parsePostgresUrl(databaseUrl)
  const url = target?.url
  const limit = target && connectionLimit(target)
  const timeout = target && poolTimeoutSeconds(target)
  const facts = databaseUrl === undefined ? undefined : await readServer(databaseUrl)
  const named = url ? partsOf(url) : { role: 'app', database: 'app', password: undefined }
  const most = maxConnections ?? facts?.maxConnections
  if (most === undefined) throw noMaxConnections()
  const roles = asked.roles.length > 0 ? asked.roles : [named.role]
  const databases = asked.databases.length > 0 ? asked.databases : [named.database]
  for (const name of roles) refuseUnwritable('role', name, !/\p{Cc}/u.test(name))
  for (const name of databases) refuseUnwritable('database', name, /^[A-Za-z0-9_.-]+$/.test(name))
  const request: PoolRequest = {
    cores: asked.cores,
    processes: asked.processes,
    connectionLimit: asked.connectionLimit ?? limit ?? 10,
    // A pooler is not waited for without end.
    poolTimeoutSeconds: timeout || 10,
    maxConnections: most,
    superuserReserved: facts?.superuserReserved ?? 3,
    auth: asked.auth,
    listen: asked.listen,
    folder: asked.folder,
    server: pooledServer(target),
    databases: [...new Set(databases)].map((name) => {
      const known = facts?.databases.find((one) => one.name === name)
      if (facts && !known) throw unknownName('database', name, facts.databases)
      return { name, connectionLimit: known?.connectionLimit ?? null }
    }),
    roles: [...new Set(roles)].map((name) => roleOf(name, asked.auth, facts, named)),
  }
  const plan = planPool(request)
  return {
    request,
    plan,
    server: facts,
    notes: [
      // Some providers have a pooler of their own.
      ...(databaseUrl === undefined ? [] : notesFor(databaseUrl, 'pool').map(({ text }) => text)),
      ...notesOn(request, facts, maxConnections, named),
      ...weakerThan(request),
    ],
    ...poolFiles(request, plan, databaseUrl),
  }
}

interface Named {
  role: string
  database: string
  password: string | undefined
}

function partsOf(url: URL): Named {
  const role = decodeURIComponent(url.username) || url.searchParams.get('user') || (process.env.PGUSER ?? '')
  const database = decodeURIComponent(url.pathname.slice(1)) || (process.env.PGDATABASE ?? role)
  const password =
    decodeURIComponent(url.password) || url.searchParams.get('password') || process.env.PGPASSWORD
  return { role, database, password }
}

function roleOf(name: string, auth: PoolAuth, facts: ServerFacts | undefined, named: Named): PooledRole {
  const known = facts?.roles.find((one) => one.name === name)
  if (facts && !known) throw unknownName('role', name, facts.roles)
  const connectionLimit = known?.connectionLimit ?? null
  if (auth === 'query') return { name, connectionLimit, secret: undefined }
  const password = name === named.role ? named.password : undefined
  const secret = known?.secret?.startsWith('SCRAM-SHA-256$') ? known.secret : password
  // A line break would begin another user.
  if (secret !== undefined && !/\p{Cc}/u.test(secret)) return { name, connectionLimit, secret }
  throw new Failure({
    code: 'OUTGROW_POOL_SECRET',
    message: `The password of ${name} is not known${facts?.seesSecrets && known?.secret === null ? ': the role has none' : ''}.`,
    why: 'A userlist holds for each role its SCRAM secret, which only a superuser may read, or its password.',
    fix: 'Pass a --database URL of a superuser, or one that holds the password of this role; or use --auth query.',
  })
}

function notesOn(
  request: PoolRequest,
  facts: ServerFacts | undefined,
  maxConnections: number | undefined,
  named: Named,
): string[] {
  const listens =
    request.listen.host === '*' || request.listen.host === '0.0.0.0'
      ? [`Put the pooler’s own name into pool.env, in place of ${unknownHost}.`]
      : []
  if (!facts)
    return [
      ...listens,
      `The server was not asked: role ${request.roles[0]?.name} and database ${request.databases[0]?.name} stand for yours. Pass --database to have them read.`,
    ]
  const notes: string[] = listens
  if (!request.roles.some(({ name }) => name === named.role))
    notes.push(`Put the password of ${request.roles[0]?.name} into pool.env, in place of ${unknownPassword}.`)
  if (maxConnections !== undefined && maxConnections !== facts.maxConnections)
    notes.push(
      `max_connections is ${facts.maxConnections} on the server; this is computed for ${maxConnections}.`,
    )
  const others = (all: { name: string }[], pooled: { name: string }[]) =>
    all.filter(({ name }) => !pooled.some((one) => one.name === name)).map(({ name }) => name)
  const databases = others(facts.databases, request.databases)
  const roles = others(facts.roles, request.roles).filter((name) => name !== authRole)
  if (databases.length > 0) notes.push(`Not pooled: the databases ${listed(databases)}.`)
  if (roles.length > 0)
    notes.push(
      `Not pooled: the roles ${listed(roles)}. What they connect with is not counted, beyond the connections that are reserved.`,
    )
  for (const { name } of request.roles) {
    const role = facts.roles.find((one) => one.name === name)
    if (role?.isSuperuser)
      notes.push(`${name} is a superuser: give the application a role of its own that is none.`)
    if (facts.seesSecrets && !role?.secret?.startsWith('SCRAM-SHA-256$'))
      notes.push(
        `The password of ${name} is ${role?.secret === null ? 'not set' : 'not stored as a SCRAM secret'}: the pooler lets in only roles with one. With password_encryption = 'scram-sha-256', set it anew.`,
      )
  }
  if (request.auth === 'query' && !facts.isSuperuser)
    notes.push(
      'setup.sql makes a function that reads pg_authid, so it must be run by a superuser. Where there is none, as with most providers, use --auth userlist.',
    )
  return notes
}

function listed(names: string[]): string {
  return names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more` : names.join(', ')
}

function unknownName(kind: 'database' | 'role', name: string, all: { name: string }[]): Failure {
  return new Failure({
    code: 'OUTGROW_POOL_UNKNOWN_NAME',
    message: `The server has no ${kind} ${name} that can be connected ${kind === 'role' ? 'as' : 'to'}.`,
    fix: `It has ${listed(all.map((one) => one.name))}.`,
  })
}

/** A line break would begin another setting, and the names of databases have no quotes there. */
function refuseUnwritable(kind: 'role' | 'database', name: string, isWritable: boolean): void {
  if (name !== '' && isWritable) return
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `pgbouncer.ini cannot name the ${kind} ${JSON.stringify(name)}.`,
    why: 'It takes letters, digits, _, . and - in the name of a database, and no line break anywhere.',
    fix: `Name what is pooled with --${kind}s, or rename it.`,
  })
}

function noMaxConnections(): Failure {
  return new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: 'How many connections the server permits is not known.',
    fix: 'Pass --database with its URL, or --max-connections.',
  })
}
