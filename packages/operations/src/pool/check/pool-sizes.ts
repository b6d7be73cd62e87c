import type { ServerFacts } from '../read-server.ts'
import type { PoolerReadings } from './pooler-readings.ts'

/** How many server connections a pooler may open at once. */
export interface PoolSizes {
  /** Over all pools, those of the auth user included. */
  most: number
  /** What of that is the auth user's. */
  auth: number
  pools: { database: string; users: string[]; poolSize: number; most: number; auth: number }[]
}

/**
 * Counts a pooler's pools: each user in each database is one, and so is the auth user in each database. Users are those that the
 * pooler knows and the server lets in. One who is asked for at the server is known from his first login on.
 * @param application who connects there, whether or not he has
 */
export function poolSizes(
  { DATABASES = [], USERS = [], POOLS = [] }: PoolerReadings,
  config: Map<string, string>,
  server: Pick<ServerFacts, 'roles'> | undefined,
  application: { role: string; database: string } | undefined,
): PoolSizes {
  const authUser = config.get('auth_user') ?? ''
  const isRole = (name: string) => !server || server.roles.some((role) => role.name === name)
  const ofUser = new Map(USERS.map(({ name = '', max_user_connections: most }) => [name, Number(most ?? 0)]))
  const userLimit = (name: string) =>
    ofUser.get(name) || Number(config.get('max_user_connections') ?? 0) || Number.POSITIVE_INFINITY
  const listed = USERS.map(({ name = '' }) => name).filter((name) => name !== authUser && isRole(name))
  const pools = DATABASES.filter(({ name }) => name !== 'pgbouncer').map((row) => {
    const database = row.name ?? ''
    const seen = POOLS.filter((pool) => pool.database === database).map(({ user = '' }) => user)
    if (application?.database === database) seen.push(application.role)
    const users = row.force_user
      ? [row.force_user]
      : [...new Set([...listed, ...seen.filter((user) => user !== authUser && isRole(user))])]
    // Renamed in newer versions.
    const reserve = Number(row.reserve_pool ?? row.reserve_pool_size ?? 0)
    const poolSize = Number(row.pool_size ?? config.get('default_pool_size') ?? 20)
    const limit =
      Number(row.max_connections ?? config.get('max_db_connections') ?? 0) || Number.POSITIVE_INFINITY
    const auth = authUser === '' ? 0 : Math.min(poolSize + reserve, userLimit(authUser), limit)
    const own = users.reduce((sum, user) => sum + Math.min(poolSize + reserve, userLimit(user)), 0)
    const most = Math.min(own + auth, limit)
    return {
      database,
      users,
      poolSize: poolSize + reserve,
      most,
      auth: Math.min(auth, Math.max(0, most - own)),
    }
  })
  return {
    pools,
    most: pools.reduce((sum, { most }) => sum + most, 0),
    auth: pools.reduce((sum, { auth }) => sum + auth, 0),
  }
}
