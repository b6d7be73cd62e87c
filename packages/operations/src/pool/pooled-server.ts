import { addressOf, tlsSettingsOf, type PostgresUrl } from '@outgrow/databases'
import { isLoopback } from './pool-urls.ts'
import type { PooledServer, PoolRequest } from './pool-request.ts'

/** Where Debian keeps the roots of everybody. */
const systemRoots = '/etc/ssl/certs/ca-certificates.crt'

/**
 * Where the pooler connects to, and how it checks who answers: as a connection of our own would.
 * @throws Failure OUTGROW_URL_INVALID
 */
export function pooledServer(target: PostgresUrl | undefined): PooledServer {
  if (!target) return { host: '127.0.0.1', port: 5432, sslmode: 'prefer', rootCertificate: undefined }
  const { host, port } = addressOf(target)
  const { mode, root } = tlsSettingsOf(target)
  // A root certificate is there to be checked against.
  const sslmode = mode === 'require' && root !== undefined ? 'verify-ca' : mode
  const file = root === 'system' ? systemRoots : root?.file
  return { host, port, sslmode, rootCertificate: sslmode.startsWith('verify-') ? file : undefined }
}

/** What the way to the pooler does not prove, where the way to the server does. */
export function weakerThan({ server, listen }: PoolRequest): string[] {
  if (!server.sslmode.startsWith('verify-') || isLoopback(listen.host)) return []
  return [
    `The server is checked with ${server.sslmode}, and the pooler is not: its URL has sslmode=require. Once it has a certificate, put sslmode=verify-full and sslrootcert=<its root certificate> into pool.env.`,
  ]
}
