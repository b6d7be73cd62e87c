import { connectionLimit, parseDatabaseUrl, poolTimeoutSeconds, refusePooled } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { readServer, type ServerFacts } from '../read-server.ts'
import { goesThrough } from './goes-through.ts'
import { judgePool } from './judge.ts'
import type { Judgement, PoolReadings } from './pool-readings.ts'
import { readPooler, withConsole, type PoolerReadings } from './pooler-readings.ts'
import { authQueryIn, zoneThrough } from './read-behind.ts'

export interface CheckRequest {
  /** The pooler's admin console. */
  adminUrl: string
  /** The application's, which should lead through the pooler. */
  pooledUrl: string | undefined
  /** The server's own. */
  directUrl: string | undefined
  processes: number | undefined
  connectionLimit: number | undefined
}

export interface CheckedPool extends Judgement {
  version: string | null
  /** Rows of SHOW POOLS. */
  pools: NonNullable<PoolerReadings['POOLS']>
}

/**
 * Looks at a running pooler, and at the server behind it. Writes nothing.
 * @throws Failure OUTGROW_POOL_CONSOLE, OUTGROW_POSTGRES_UNREACHABLE where it cannot be reached, OUTGROW_URL_INVALID
 */
export function checkPool(request: CheckRequest): Promise<CheckedPool> {
  const { adminUrl, pooledUrl, directUrl } = request
  const parameters = pooledUrl === undefined ? undefined : parametersOf(pooledUrl)
  return withConsole(adminUrl, async (show) => {
    // Before anything of ours waits in it.
    const pooler = await readPooler(show)
    if (Object.keys(pooler).length === 0) throw noConsole()
    const config = new Map((pooler.CONFIG ?? []).map(({ key = '', value = '' }) => [key, value]))
    const isDirectUrlPooled = await isPooled(directUrl, show)
    const readings: PoolReadings = {
      pooler,
      config,
      server: directUrl === undefined || isDirectUrlPooled ? undefined : await serverAt(directUrl),
      authQuery:
        directUrl === undefined || isDirectUrlPooled ? [] : await authQueries(pooler, config, directUrl),
      timeZone: pooledUrl === undefined ? undefined : await zoneThrough(pooledUrl),
      isPooledUrlPooled: pooledUrl === undefined ? undefined : await goesThrough(pooledUrl, show),
      isDirectUrlPooled,
      application: parameters?.application,
      processes: request.processes,
      connectionLimit: request.connectionLimit ?? parameters?.connectionLimit ?? 10,
      poolTimeoutSeconds: parameters?.poolTimeoutSeconds ?? 10,
    }
    return {
      ...judgePool(readings),
      version: pooler.VERSION?.[0]?.version ?? null,
      pools: (pooler.POOLS ?? []).filter(({ database }) => database !== 'pgbouncer'),
    }
  })
}

function noConsole(): Failure {
  return new Failure({
    code: 'OUTGROW_POOL_CONSOLE',
    message: 'This does not answer as pgbouncer’s admin console does.',
    why: 'SHOW VERSION, CONFIG, DATABASES, POOLS, STATS and USERS all failed.',
    fix: 'Pass --admin-url with the pooler’s host and port, the database pgbouncer, and a user of stats_users or admin_users.',
  })
}

function parametersOf(pooledUrl: string) {
  const parsed = parseDatabaseUrl(pooledUrl)
  if (parsed.kind !== 'postgres') return undefined
  return {
    application: {
      role: decodeURIComponent(parsed.url.username),
      database: decodeURIComponent(parsed.url.pathname.slice(1)),
    },
    connectionLimit: connectionLimit(parsed),
    poolTimeoutSeconds: poolTimeoutSeconds(parsed) || undefined,
  }
}

/** By this pooler, or by another one. */
async function isPooled(
  directUrl: string | undefined,
  show: Parameters<typeof goesThrough>[1],
): Promise<boolean | undefined> {
  if (directUrl === undefined) return undefined
  const isThrough = await goesThrough(directUrl, show)
  if (isThrough !== false) return isThrough
  try {
    await refusePooled(directUrl)
    return false
  } catch (error) {
    return error instanceof Failure && error.code === 'OUTGROW_TARGET_POOLED' ? true : undefined
  }
}

async function serverAt(directUrl: string): Promise<ServerFacts | undefined> {
  try {
    return await readServer(directUrl)
  } catch (error) {
    if (error instanceof Failure) return undefined // what rests on it is unknown
    throw error
  }
}

function authQueries(
  { DATABASES = [] }: PoolerReadings,
  config: Map<string, string>,
  directUrl: string,
): Promise<PoolReadings['authQuery']> {
  const user = config.get('auth_user') ?? ''
  const query = config.get('auth_query') ?? ''
  if (user === '' || query === '') return Promise.resolve([])
  const names = new Set(
    DATABASES.filter(({ name }) => name !== 'pgbouncer').map(
      ({ database = '' }) => config.get('auth_dbname') || database,
    ),
  )
  return Promise.all(
    [...names].map(async (database) => ({
      database,
      state: await authQueryIn(directUrl, database, user, query),
    })),
  )
}
