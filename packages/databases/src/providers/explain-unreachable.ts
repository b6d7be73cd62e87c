import type { PostgresUrl } from '../url.ts'
import { directUrlOf, keepsSessions, providerOf, type Managed } from './find.ts'

/** Why a connection failed, where the provider explains it. */
export interface Explanation {
  why: string
  fix: string
}

const noName = /^(ENOTFOUND|EAI_AGAIN|EAI_NODATA|EAI_NONAME)$/
const noRoute = /^(ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL|EAFNOSUPPORT)$/

/** What a failed connection means at this provider; undefined where its words say all. */
export function explainUnreachable(target: PostgresUrl, cause: unknown): Explanation | undefined {
  const managed = providerOf(target)
  if (!managed) return undefined
  const { code = '', message = '' } = (cause ?? {}) as { code?: string; message?: string }
  return (
    ofNetwork(managed, code, message) ??
    ofLimit(target, managed, code, message) ??
    ofTls(managed, code, message)
  )
}

function ofNetwork(
  { provider: { title, network, wherePublic, whereDirect }, endpoint, address }: Managed,
  code: string,
  message: string,
): Explanation | undefined {
  const isAway = noName.test(code) || noRoute.test(code) || /timeout|timed out/i.test(message)
  if (!isAway) return undefined
  if (endpoint.isPrivate === true) {
    return {
      why: `${address.host} exists only inside ${title}’s network. ${network?.text ?? ''}`,
      fix:
        wherePublic === undefined
          ? 'Run the command inside that network.'
          : `Use the public URL: ${wherePublic}. Or run the command inside that network.`,
    }
  }
  if (endpoint.isIpv6Only !== true) return undefined
  return {
    why: `This machine has no way to it. ${network?.text ?? ''}`,
    fix: `Use ${whereDirect ?? 'a host that has IPv4'}.`,
  }
}

function ofLimit(
  target: PostgresUrl,
  { provider: { title, limits, pooling }, endpoint }: Managed,
  code: string,
  message: string,
): Explanation | undefined {
  if (!isConnectionLimit(code, message)) return undefined
  const isPool = endpoint.pool !== 'none'
  const direct = keepsSessions(endpoint) ? undefined : directUrlOf(target)
  return {
    why: `${title} allows no more connections. ${limits?.text ?? ''}${isPool ? ` ${pooling?.text ?? ''}` : ''}`,
    fix:
      direct === undefined
        ? 'Close connections, lower connection_limit in the URLs of the application, or take a larger plan.'
        : 'Close connections, or use the direct URL.',
  }
}

/** Whether a server, a database, a role or a pooler has no connection left. */
export function isConnectionLimit(code: string, message: string): boolean {
  return (
    code === '53300' ||
    /max clients? (connections )?reached|MaxClients|too many (clients|connections)|no more connections allowed/i.test(
      message,
    )
  )
}

const untrusted = /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|CERT_UNTRUSTED|UNABLE_TO_\w+)$/

function ofTls(
  { provider: { title, tls, roots } }: Managed,
  code: string,
  message: string,
): Explanation | undefined {
  const wantsTls = /insecure|no encryption|SSL (is )?(off|required)/i.test(message)
  if (!wantsTls && !untrusted.test(code)) return undefined
  return {
    why: `${title}: ${tls?.text ?? 'TLS is required.'}`,
    fix:
      roots === 'system'
        ? 'Use sslmode=verify-full&sslrootcert=system.'
        : 'Use sslmode=verify-full, and name the root certificate with sslrootcert=<file>.',
  }
}
