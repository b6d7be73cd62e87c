import { addressOf, isLocal, isPrivate } from '../address.ts'
import type { PostgresClient } from '../postgres.ts'
import { protectionOf, type Protection, type Ssl } from '../tls.ts'
import { parsePostgresUrl } from '../url.ts'
import { providerOf } from './find.ts'
import type { Provider } from './provider.ts'

/** Who can listen to a connection, and whether it is known who answers. */
export interface ExaminedConnection {
  protection: Protection
  /** What it does not leave: this machine, the provider's own network, or a private network, of which nothing else is known. */
  within: 'machine' | 'provider' | 'network' | undefined
  /** What the certificate can be checked with, where the provider is known. */
  roots: Provider['roots']
}

/** How a connection is secured that was made with a URL. */
export function examineConnection(client: PostgresClient, databaseUrl: string): ExaminedConnection {
  const url = parsePostgresUrl(databaseUrl)
  const managed = providerOf(url)
  const { host } = addressOf(url)
  // A tunnel begins on this machine, and goes on to the provider.
  const to = (!managed && (url.url.searchParams.get('hostaddr') || process.env.PGHOSTADDR)) || host
  const { ssl } = client as unknown as { ssl: Ssl }
  return {
    protection: protectionOf(ssl),
    within:
      managed?.endpoint.isPrivate === true
        ? 'provider'
        : isLocal(to)
          ? 'machine'
          : isPrivate(to)
            ? 'network'
            : undefined,
    roots: managed?.provider.roots ?? 'unknown',
  }
}
