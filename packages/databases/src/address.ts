import { userInfo } from 'node:os'
import type { Address } from './providers/provider.ts'
import type { PostgresUrl } from './url.ts'

/** What a URL names, completed by the environment as libpq does. */
export function addressOf({ url }: PostgresUrl): Address {
  const parameter = (name: string) => url.searchParams.get(name) || undefined
  // An IPv6 address stands in brackets in a URL, and without them everywhere else.
  const named = (parameter('host') ?? decodeURIComponent(url.hostname)).replace(/^\[(.*)\]$/, '$1')
  const host = named || process.env.PGHOST || 'localhost'
  return {
    // A socket's folder keeps its case; names have none.
    host: host.startsWith('/') ? host : host.toLowerCase(),
    port: Number(url.port || parameter('port') || process.env.PGPORT || 5432),
    user: decodeURIComponent(url.username) || parameter('user') || process.env.PGUSER || userInfo().username,
  }
}

/** The same URL with another host or port. */
export function withAddress({ url }: PostgresUrl, { host, port }: Partial<Address>): string {
  const changed = new URL(url)
  if (host !== undefined) {
    if (changed.searchParams.has('host')) changed.searchParams.set('host', host)
    else changed.hostname = host
    changed.searchParams.delete('hostaddr') // it was the other host's
  }
  if (port !== undefined) {
    if (changed.port === '' && changed.searchParams.has('port'))
      changed.searchParams.set('port', String(port))
    else changed.port = String(port)
  }
  return changed.href
}

/** How long a connection may take, and a server to wake up. */
export function connectTimeoutMs({ url }: PostgresUrl): number {
  return Number(url.searchParams.get('connect_timeout') || 15) * 1000
}

/** Whether a host is this machine. */
export function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/** `host:port`, for messages. */
export function hostOf(url: PostgresUrl): string {
  const { host, port } = addressOf(url)
  return `${host}:${port}`
}
