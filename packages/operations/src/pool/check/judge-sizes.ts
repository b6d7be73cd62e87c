import { directConnections } from '../pool-request.ts'
import { poolSizes } from './pool-sizes.ts'
import type { Judgement, PoolFinding, PoolReadings } from './pool-readings.ts'

/** Whether the server permits what the pools may open. */
export function judgeSizes({ pooler, config, server, application }: PoolReadings): Judgement {
  if (!pooler.DATABASES || !pooler.USERS)
    return { findings: [], unknown: ['the pools: SHOW DATABASES or SHOW USERS is refused'] }
  if (!server)
    return { findings: [], unknown: ['the server’s max_connections: pass --database, or set DIRECT_URL'] }
  const hosts = new Set(
    pooler.DATABASES.filter(({ name }) => name !== 'pgbouncer').map(({ host, port }) => `${host}:${port}`),
  )
  if (hosts.size > 1)
    return {
      findings: [],
      unknown: [`whether the pools fit: they lead to ${hosts.size} servers, and one of them was asked`],
    }
  const sizes = poolSizes(pooler, config, server, application)
  const permitted = server.maxConnections - server.superuserReserved - directConnections
  const findings: PoolFinding[] = []
  const counted = sizes.pools
    .map(({ database, users, most }) => `${database}: ${users.length} users, ${most}`)
    .join('; ')
  if (sizes.most > permitted && sizes.most - sizes.auth <= permitted)
    findings.push({
      code: 'OUTGROW_POOL_AUTH_UNCOUNTED',
      fact: `The pools take up to ${sizes.most - sizes.auth} server connections, and those of ${config.get('auth_user')} ${sizes.auth} more; the server has ${permitted} for them. Whether [users] limits it, versions before 1.24 do not show.`,
      why: 'The role that asks for passwords has a pool of its own in each database.',
      fix: `Set max_db_connections, or max_user_connections for ${config.get('auth_user')} under [users], or lower default_pool_size.`,
    })
  else if (sizes.most > permitted)
    findings.push({
      code: 'OUTGROW_POOL_OVERSIZED',
      fact: `The pools take up to ${sizes.most} server connections (${counted}); the server has ${permitted} for them: max_connections, less what it reserves and ${directConnections} for DIRECT_URL.`,
      why: 'Each user in each database is a pool of its own. When all are busy, the server refuses connections, to people too.',
      fix: 'Lower default_pool_size, or set max_db_connections; outgrow pool computes both.',
    })
  findings.push(...roleLimits(sizes.pools, server))
  return { findings, unknown: [] }
}

function roleLimits(
  pools: ReturnType<typeof poolSizes>['pools'],
  { roles, databases }: NonNullable<PoolReadings['server']>,
): PoolFinding[] {
  // Whoever is not pooled may have any limit.
  const isOver = (taken: number, limit: number | null) =>
    limit !== null && taken > 0 && taken > limit - directConnections
  const over = [
    ...roles.flatMap(({ name, connectionLimit }) => {
      const taken = pools
        .filter(({ users }) => users.includes(name))
        .reduce((sum, { poolSize, most }) => sum + Math.min(poolSize, most), 0)
      return isOver(taken, connectionLimit)
        ? [`role ${name} is limited to ${connectionLimit}, and its pools take ${taken}`]
        : []
    }),
    ...databases.flatMap(({ name, connectionLimit }) => {
      const taken = pools.find(({ database }) => database === name)?.most ?? 0
      return isOver(taken, connectionLimit)
        ? [`database ${name} is limited to ${connectionLimit}, and its pools take ${taken}`]
        : []
    }),
  ]
  if (over.length === 0) return []
  return [
    {
      code: 'OUTGROW_POOL_OVERSIZED',
      fact: `${over.join('; ')}.`,
      why: `The server refuses what is beyond a CONNECTION LIMIT, and migrations, moves and backups over DIRECT_URL take up to ${directConnections}.`,
      fix: 'Raise it with ALTER ROLE or ALTER DATABASE … CONNECTION LIMIT, or lower the pool’s size.',
    },
  ]
}
