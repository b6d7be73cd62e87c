import type { PoolRequest } from './pool-request.ts'

type Shown = (secret: string) => string

/** What leads to the server itself, or proves it: a pooler has another address and certificate, and offers no channel binding. */
const ofServer = [
  'host',
  'hostaddr',
  'port',
  'sslnegotiation',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslpassword',
  'channel_binding',
  'options',
]

/** The application's own URL, through the pooler: that of the server with another host, and what the pool was counted with. */
export function pooledUrlFor(request: PoolRequest, serverUrl: string | undefined, shown: Shown): string {
  const { listen, connectionLimit, poolTimeoutSeconds } = request
  const url = baseUrl(request, serverUrl, shown)
  setHost(url, listen)
  for (const name of ofServer) url.searchParams.delete(name)
  url.searchParams.set('connection_limit', String(connectionLimit))
  url.searchParams.set('pool_timeout', String(poolTimeoutSeconds))
  url.searchParams.set('sslmode', isLoopback(listen.host) ? 'disable' : 'require')
  return url.href
}

export function directUrlFor(request: PoolRequest, serverUrl: string | undefined, shown: Shown): string {
  const url = baseUrl(request, serverUrl, shown)
  if (serverUrl === undefined) setHost(url, request.server)
  return url.href
}

/** Where the pooler's own numbers are read: its admin console. */
export function statsUrlFor({ listen }: PoolRequest, user: string, password: string): string {
  const url = new URL('postgresql://localhost/pgbouncer')
  url.username = user
  url.password = password
  setHost(url, listen)
  url.searchParams.set('sslmode', isLoopback(listen.host) ? 'disable' : 'require')
  return url.href
}

/** Whether a host is this machine, where nobody listens on the way. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.') || host.startsWith('/')
}

/** Stands for the host of a pooler that listens everywhere. */
export const unknownHost = 'pooler.example.com'

/** Stands where a password belongs that is not known. */
export const unknownPassword = 'PASSWORD'

/** Of the role and the database that are pooled first, where the server's URL names others. */
function baseUrl({ roles, databases }: PoolRequest, serverUrl: string | undefined, shown: Shown): URL {
  const url = new URL(serverUrl ?? 'postgresql://localhost')
  for (const name of ['password', 'sslpassword'])
    if (url.searchParams.has(name)) url.searchParams.set(name, shown(url.searchParams.get(name) as string))
  if (url.password !== '') url.password = encodeURIComponent(shown(decodeURIComponent(url.password)))
  if (!roles.some(({ name }) => name === decodeURIComponent(url.username))) {
    url.username = encodeURIComponent(roles[0]?.name ?? '')
    url.password = shown(unknownPassword)
    url.searchParams.delete('password')
  }
  if (!databases.some(({ name }) => name === decodeURIComponent(url.pathname.slice(1))))
    url.pathname = encodeURIComponent(databases[0]?.name ?? '')
  return url
}

function setHost(url: URL, { host, port }: { host: string; port: number }): void {
  // Whoever listens everywhere is reached under a name that only its owner knows.
  const name = host === '*' || host === '0.0.0.0' ? unknownHost : host
  url.hostname = name.includes(':') ? `[${name}]` : name
  url.port = String(port)
}
