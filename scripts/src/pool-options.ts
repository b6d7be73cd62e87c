import { isAbsolute, resolve } from 'node:path'
import { sessionUrlOf } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { CheckRequest, PrepareRequest } from '@outgrow/operations'
import { numberOf } from './number-option.ts'

export interface PoolOptions {
  cores?: string
  maxConnections?: string
  processes?: string
  connectionLimit?: string
  database?: string
  databases?: string[]
  roles?: string[]
  auth: 'query' | 'userlist'
  listen: string
  dir?: string
  force?: boolean
  dryRun?: boolean
  check?: boolean
  adminUrl?: string
  json?: boolean
}

/** @throws Failure OUTGROW_OPTION_INVALID and what `sessionUrlOf` throws */
export async function prepareRequest(options: PoolOptions): Promise<PrepareRequest> {
  const { database, auth, dir } = options
  return {
    cores: required('cores', options.cores, 1024),
    processes: required('processes', options.processes, 100_000),
    connectionLimit: optional('connection-limit', options.connectionLimit),
    maxConnections: optional('max-connections', options.maxConnections),
    auth,
    listen: addressOf(options.listen),
    folder: dir === undefined ? '/etc/pgbouncer' : isAbsolute(dir) ? dir : resolve(dir),
    databaseUrl: database ?? (await serverOfProject()),
    databases: options.databases ?? [],
    roles: options.roles ?? [],
  }
}

/** @throws Failure OUTGROW_OPTION_INVALID */
export function checkRequest(options: PoolOptions): CheckRequest {
  const pooledUrl = postgresOnly(process.env.DATABASE_URL)
  return {
    adminUrl: given(options.adminUrl) ?? given(process.env.PGBOUNCER_ADMIN_URL) ?? consoleBehind(pooledUrl),
    pooledUrl,
    directUrl: options.database ?? given(process.env.DIRECT_URL),
    processes: optional('processes', options.processes),
    connectionLimit: optional('connection-limit', options.connectionLimit),
  }
}

/** The server that the environment names; a file has none. */
async function serverOfProject(): Promise<string | undefined> {
  const url = postgresOnly(process.env.DATABASE_URL) ?? postgresOnly(process.env.POSTGRES_URL)
  return url === undefined ? undefined : sessionUrlOf(url)
}

function postgresOnly(url: string | undefined): string | undefined {
  return url !== undefined && /^postgres(ql)?:/i.test(url) ? url : undefined
}

function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}

/** The application's own user may be one that reads the console. */
function consoleBehind(pooledUrl: string | undefined): string {
  if (pooledUrl !== undefined) {
    const url = new URL(pooledUrl)
    url.pathname = '/pgbouncer'
    return url.href
  }
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: 'No pooler was named.',
    fix: 'Pass --admin-url postgresql://user:password@host:6432/pgbouncer, or set PGBOUNCER_ADMIN_URL.',
  })
}

function required(option: string, text: string | undefined, most: number): number {
  if (text !== undefined) return numberOf(option, text, { least: 1, most, isWhole: true })
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `--${option} is missing.`,
    why: 'It cannot be asked of a server: it decides how large the pool may be.',
    fix: 'For example outgrow pool --cores 2 --processes 3 --max-connections 100.',
  })
}

function optional(option: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : numberOf(option, text, { least: 1, most: 1_000_000, isWhole: true })
}

function addressOf(text: string): { host: string; port: number } {
  const [, host, port] = /^\[?([\w.:*-]+?)\]?:(\d+)$/.exec(text) ?? []
  if (host !== undefined && Number(port) > 0 && Number(port) < 65_536) return { host, port: Number(port) }
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: `--listen ${text} is not an address with a port.`,
    fix: 'For example --listen 127.0.0.1:6432.',
  })
}
