import { addressOf, withAddress } from '../address.ts'
import { parsePostgresUrl, type PostgresUrl } from '../url.ts'
import type { Address, Endpoint, Provider } from './provider.ts'
import { providers } from './providers.ts'

/** Whose a database is, and what its URL leads to. */
export interface Managed {
  provider: Provider
  endpoint: Endpoint
  address: Address
}

/**
 * The provider behind a URL, by its host alone: nothing is asked. Undefined for a server of one's own, and for any that is
 * not known.
 * @throws Failure OUTGROW_URL_INVALID
 */
export function providerOf(target: string | PostgresUrl): Managed | undefined {
  const address = addressOf(parsed(target))
  const named = { ...address, host: address.host.replace(/\.$/, '') }
  for (const provider of providers) {
    const endpoint = provider.endpointOf(named)
    if (endpoint) return { provider, endpoint, address: named }
  }
  return undefined
}

/**
 * The same database without a pooler, or by one that keeps sessions: what migrations, moves and backups need. The URL itself
 * where it is direct; undefined where the provider is not known, or its URLs do not say.
 * @throws Failure OUTGROW_URL_INVALID
 */
export function directUrlOf(target: string | PostgresUrl): string | undefined {
  const managed = providerOf(target)
  if (!managed) return undefined
  if (keepsSessions(managed.endpoint)) return parsed(target).url.href
  return changedUrl(target, managed, managed.provider.directOf?.(managed.address))
}

/**
 * The same database through the provider's pooler, for an application. Undefined where there is none, or its URLs do not say.
 * @throws Failure OUTGROW_URL_INVALID
 */
export function pooledUrlOf(target: string | PostgresUrl): string | undefined {
  const managed = providerOf(target)
  if (!managed) return undefined
  if (managed.endpoint.pool === 'transaction') return parsed(target).url.href
  return changedUrl(target, managed, managed.provider.pooledOf?.(managed.address))
}

/** Whether a session lasts as long as its connection. */
export function keepsSessions({ pool }: Endpoint): boolean {
  return pool === 'none' || pool === 'session'
}

function changedUrl(
  target: string | PostgresUrl,
  { address }: Managed,
  change: Partial<Address> | undefined,
): string | undefined {
  if (!change) return undefined
  const { host, port } = change
  return withAddress(parsed(target), {
    ...(host !== undefined && host !== address.host && { host }),
    ...(port !== undefined && port !== address.port && { port }),
  })
}

function parsed(target: string | PostgresUrl): PostgresUrl {
  return typeof target === 'string' ? parsePostgresUrl(target) : target
}
