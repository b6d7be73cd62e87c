import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  checkServerIdentity,
  createSecureContext,
  getCACertificates,
  type ConnectionOptions,
  type SecureContext,
} from 'node:tls'
import { assertNever, Failure, messageOf } from '@outgrow/kit'

export type Ssl = false | ConnectionOptions

/** A parameter of the URL, else the environment variable that libpq reads for it. */
export type Parameter = (name: string, variable?: string) => string | undefined

const modes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type SslMode = (typeof modes)[number]

/** Any name will do: what `verify-ca` says of a certificate. */
const anyName = () => undefined

/**
 * How TLS is tried, in this order, as libpq does: https://www.postgresql.org/docs/current/libpq-ssl.html.
 * One difference: `verify-full` without a root certificate uses the system's roots, where libpq refuses to connect.
 * @param host the name that the certificate is to carry
 * @throws Failure OUTGROW_URL_INVALID
 */
export function tlsAttempts(parameter: Parameter, host: string): Ssl[] {
  const root = parameter('sslrootcert', 'PGSSLROOTCERT')
  const mode = modeOf(parameter('sslmode', 'PGSSLMODE'), root)
  if (mode === 'disable') return [false]
  const roots = rootsOf(root, mode)
  const given: ConnectionOptions = {
    secureContext: contextOf(roots, {
      cert: fileOf(parameter, 'sslcert', 'PGSSLCERT', 'postgresql.crt'),
      key: fileOf(parameter, 'sslkey', 'PGSSLKEY', 'postgresql.key'),
      passphrase: parameter('sslpassword'),
    }),
    // Without a name to go by (SNI), several providers do not know which database is meant.
    ...(isIP(host) === 0 && { servername: host }),
  }
  const unchecked: Ssl = { ...given, rejectUnauthorized: false }
  const certificate: Ssl = { ...given, rejectUnauthorized: true, checkServerIdentity: anyName }
  const asFarAsKnown = roots === undefined ? unchecked : certificate
  switch (mode) {
    case 'allow':
      return [false, asFarAsKnown]
    case 'prefer':
      return [asFarAsKnown, false]
    case 'require':
      return [asFarAsKnown]
    case 'verify-ca':
      return [certificate]
    case 'verify-full':
      return [{ ...certificate, checkServerIdentity: (_, peer) => checkServerIdentity(host, peer) }]
    default:
      return assertNever(mode)
  }
}

/** What another program is told, such as a pooler, so that it checks a server as `tlsAttempts` does. */
export interface TlsSettings {
  mode: SslMode
  /** An absolute path, what the system trusts, or nothing to check with. */
  root: { file: string } | 'system' | undefined
}

/** @throws Failure OUTGROW_URL_INVALID */
export function tlsSettings(parameter: Parameter): TlsSettings {
  const given = parameter('sslrootcert', 'PGSSLROOTCERT')
  const mode = modeOf(parameter('sslmode', 'PGSSLMODE'), given)
  if (mode === 'disable') return { mode, root: undefined }
  const roots = rootsOf(given, mode)
  if (roots === undefined) return { mode, root: undefined }
  return { mode, root: Buffer.isBuffer(roots) ? { file: resolve(given ?? inHome('root.crt')) } : 'system' }
}

/** How much a connection proves of who answers. */
export type Protection = 'plain' | 'encrypted' | 'certificate' | 'verified'

export function protectionOf(ssl: Ssl): Protection {
  if (ssl === false) return 'plain'
  if (ssl.rejectUnauthorized === false) return 'encrypted'
  return ssl.checkServerIdentity === anyName ? 'certificate' : 'verified'
}

/** Whether the other way of `prefer` or `allow` is worth a try. */
export function isTlsRefusal(error: unknown): boolean {
  const { code = '' } = (error ?? {}) as { code?: string }
  return (
    /^(ERR_(SSL|TLS)|EPROTO$|.*CERT|UNABLE_TO_|HOSTNAME_MISMATCH)/.test(code) ||
    /does not support SSL|establishing an SSL|no pg_hba\.conf entry|SSL (is )?(off|required)|encryption|insecure/i.test(
      messageOf(error),
    )
  )
}

function modeOf(given: string | undefined, root: string | undefined): SslMode {
  const wanted = given === 'no-verify' ? 'require' : given // the driver's own name for it
  const mode = wanted ?? (root === 'system' ? 'verify-full' : 'prefer')
  const known = modes.find((one) => one === mode)
  if (known === undefined) {
    throw new Failure({
      code: 'OUTGROW_URL_INVALID',
      message: `sslmode=${mode} is not a valid mode.`,
      fix: 'Use disable, allow, prefer, require, verify-ca or verify-full.',
    })
  }
  if (root === 'system' && known !== 'verify-full') {
    throw new Failure({
      code: 'OUTGROW_URL_INVALID',
      message: `sslmode=${known} cannot be used with sslrootcert=system.`,
      why: 'Anybody can get a certificate that the system trusts, so it proves nothing without the name. libpq refuses it too.',
      fix: 'Use sslmode=verify-full.',
    })
  }
  return known
}

/** What a server is checked with: a file's content, or what this system or this process trusts. */
type Roots = Buffer | 'system' | 'trusted'

/** Undefined where there is nothing to check with. */
function rootsOf(root: string | undefined, mode: SslMode): Roots | undefined {
  if (root === 'system') return 'system'
  if (root !== undefined) return readRoots(root)
  const own = inHome('root.crt')
  if (existsSync(own)) return readRoots(own)
  if (mode === 'verify-full') return 'trusted'
  if (mode !== 'verify-ca') return undefined
  throw new Failure({
    code: 'OUTGROW_URL_INVALID',
    message: 'sslmode=verify-ca needs a root certificate, and none is given.',
    why: 'Any certificate that the system trusts would be accepted, whoever it belongs to.',
    fix: 'Add sslrootcert=<file> to the URL, or use sslmode=verify-full.',
  })
}

/** Reading a system's certificates takes longer than connecting. */
const contexts = new Map<'system' | 'trusted', SecureContext>()

type ClientCertificate = Record<'cert' | 'key', Buffer | undefined> & { passphrase: string | undefined }

function contextOf(roots: Roots | undefined, { cert, key, passphrase }: ClientCertificate): SecureContext {
  const isShared = typeof roots === 'string' && !cert && !key
  const known = isShared ? contexts.get(roots) : undefined
  if (known) return known
  const ca = typeof roots === 'string' ? trustedBy(roots) : roots
  let context: SecureContext
  try {
    context = createSecureContext({
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      ...(passphrase !== undefined && { passphrase }),
    })
  } catch (cause) {
    throw new Failure({
      code: 'OUTGROW_URL_INVALID',
      message: `The certificate or the key that the URL names cannot be used: ${messageOf(cause)}`,
      fix: 'Check sslrootcert, sslcert, sslkey and sslpassword, or the files in ~/.postgresql.',
    })
  }
  if (isShared) contexts.set(roots, context)
  return context
}

/** Certificates of the operating system and of NODE_EXTRA_CA_CERTS; and, for `trusted`, those that Node.js brings along. */
function trustedBy(roots: 'system' | 'trusted'): string[] | undefined {
  const kinds = roots === 'system' ? (['system', 'extra'] as const) : (['system', 'default'] as const)
  const all = [...new Set(kinds.flatMap((kind) => getCACertificates(kind)))]
  return all.length > 0 ? all : undefined // a system without a store
}

/** What the URL or the environment names, else the file in which libpq looks by itself. */
function fileOf(parameter: Parameter, name: string, variable: string, inFolder: string): Buffer | undefined {
  const path = parameter(name, variable)
  if (path !== undefined) return read(name, path)
  const own = inHome(inFolder)
  return existsSync(own) ? read(name, own) : undefined
}

function inHome(name: string): string {
  return join(homedir(), '.postgresql', name)
}

function readRoots(path: string): Buffer {
  const content = read('sslrootcert', path)
  if (content.includes('CERTIFICATE-----')) return content
  throw new Failure({
    code: 'OUTGROW_URL_INVALID',
    message: `sslrootcert=${path} contains no certificate.`,
    why: 'A root certificate is a file that has BEGIN CERTIFICATE in it (PEM).',
    fix: 'Download the root certificate of the provider again.',
  })
}

function read(name: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new Failure({
      code: 'OUTGROW_URL_INVALID',
      message: `${name}=${path} cannot be read: ${messageOf(cause)}`,
      why: 'The URL names this file to secure the connection.',
      fix: `Correct ${name} in the URL; a relative path starts at the folder where the command runs.`,
      cause,
    })
  }
}
