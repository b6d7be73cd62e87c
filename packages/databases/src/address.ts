import { BlockList, isIP } from 'node:net'
import { userInfo } from 'node:os'
import { Failure } from '@outgrow/kit'
import type { Address } from './providers/provider.ts'
import type { PostgresUrl } from './url.ts'

/**
 * What a URL names, completed by the environment as libpq does.
 * @throws Failure OUTGROW_URL_INVALID
 */
export function addressOf({ url }: PostgresUrl): Address {
  const parameter = (name: string) => url.searchParams.get(name) || undefined
  // An IPv6 address stands in brackets in a URL, and without them everywhere else.
  const named = (parameter('host') ?? decodeURIComponent(url.hostname)).replace(/^\[(.*)\]$/, '$1')
  const host = named || process.env.PGHOST || 'localhost'
  return {
    // A socket's folder keeps its case; names have none.
    host: host.startsWith('/') ? host : host.toLowerCase(),
    port: portOf(url.port || parameter('port') || process.env.PGPORT || '5432'),
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

/**
 * How long a connection may take, and a server to wake up.
 * @throws Failure OUTGROW_URL_INVALID
 */
export function connectTimeoutMs({ url }: PostgresUrl): number {
  const text = url.searchParams.get('connect_timeout') || '15'
  const seconds = Number(text)
  if (Number.isFinite(seconds) && seconds > 0) return seconds * 1000
  throw new Failure({
    code: 'OUTGROW_URL_INVALID',
    message: `connect_timeout=${text} is not a number of seconds.`,
    fix: 'For example connect_timeout=30.',
  })
}

function portOf(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65536) return port
  throw new Failure({
    code: 'OUTGROW_URL_INVALID',
    message: `${text} is not a port.`,
    why: 'It comes from the URL, or from PGPORT.',
    fix: 'Postgres listens on 5432 unless it is set up otherwise.',
  })
}

/** Whether a host is this machine. */
export function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

const privateAddresses = new BlockList()
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
] as const)
  privateAddresses.addSubnet(network, prefix, 'ipv4')
privateAddresses.addSubnet('fc00::', 7, 'ipv6')
privateAddresses.addSubnet('fe80::', 10, 'ipv6')

/** Whether a host is of a private network: by its address, or by a name that the internet does not have. */
export function isPrivate(host: string): boolean {
  const kind = isIP(host)
  if (kind !== 0) return privateAddresses.check(host, kind === 4 ? 'ipv4' : 'ipv6')
  return !host.includes('.') || /\.(internal|local|lan|home\.arpa)$/.test(host)
}

/** `host:port`, for messages. */
export function hostOf(url: PostgresUrl): string {
  const { host, port } = addressOf(url)
  return `${host}:${port}`
}
