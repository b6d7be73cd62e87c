import { Failure } from '@outgrow/kit'
import { parseLocation } from '../storage/open-storage.ts'
import { refuseTemporaryCredentials } from '../storage/temporary-credentials.ts'

/** Where pgBackRest keeps backups and WAL. */
export type Repository = { type: 'posix'; path: string } | S3Repository

interface S3Repository {
  type: 's3'
  bucket: string
  /** Of the backups within the bucket: `/app`. */
  path: string
  host: string
  port: string | undefined
  region: string
  /** Undefined for the role of the machine. */
  credentials: { key: string; secret: string } | undefined
  /** `path` where the bucket is not a part of the host. */
  uriStyle: 'host' | 'path'
}

/**
 * The repository that a location names, with what AWS' variables say of a bucket.
 * @throws Failure OUTGROW_OPTION_INVALID
 */
export function repositoryAt(
  location: string,
  env: Record<string, string | undefined> = process.env,
): Repository {
  const named = parseLocation(location)
  if (named.kind === 'folder') return { type: 'posix', path: named.path }
  refuseTemporaryCredentials(env)
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined
  const ownRegion = endpoint === undefined ? undefined : 'us-east-1'
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION || ownRegion
  if (region === undefined) throw invalid('the region of the bucket is not known', 'Set AWS_REGION.')
  const url = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`)
  if (url.protocol !== 'https:')
    throw invalid(`${url.origin} has no TLS`, 'pgBackRest uses nothing else: pass an https endpoint.')
  const { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret } = env
  return {
    type: 's3',
    bucket: named.bucket,
    path: `/${named.prefix}`,
    host: url.hostname,
    port: url.port || undefined,
    region,
    credentials: key && secret ? { key, secret } : undefined,
    uriStyle: endpoint === undefined ? 'host' : 'path',
  }
}

/** pgBackRest's settings of it, as lines of an ini file. */
export function repositoryLines(repository: Repository): string[] {
  if (repository.type === 'posix') return ['repo1-type=posix', `repo1-path=${repository.path}`]
  const { bucket, path, host, port, region, credentials, uriStyle } = repository
  return [
    'repo1-type=s3',
    `repo1-path=${path}`,
    `repo1-s3-bucket=${bucket}`,
    `repo1-s3-endpoint=${host}`,
    ...(port === undefined ? [] : [`repo1-storage-port=${port}`]),
    `repo1-s3-region=${region}`,
    `repo1-s3-uri-style=${uriStyle}`,
    ...(credentials === undefined
      ? ['repo1-s3-key-type=auto']
      : [`repo1-s3-key=${credentials.key}`, `repo1-s3-key-secret=${credentials.secret}`]),
  ]
}

function invalid(message: string, fix: string): Failure {
  return new Failure({ code: 'OUTGROW_OPTION_INVALID', message: `${message}.`, fix })
}
