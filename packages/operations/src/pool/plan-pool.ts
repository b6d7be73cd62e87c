import { Failure } from '@outgrow/kit'
import { directConnections, usedShare, type PoolRequest } from './pool-request.ts'

/** One setting of pgbouncer.ini. */
export interface PoolSetting {
  name: string
  value: string | number
  /** Where the value comes from. */
  why: string
}

export interface PoolPlan {
  /** Server connections of each pool, which is one role in one database. */
  poolSize: number
  /** Roles times databases; the auth user's are not among them. */
  pools: number
  /** Server connections of the role that asks for passwords: as many as there are databases, in whichever. */
  authConnections: number
  /** Server connections at most, over all pools. */
  serverConnections: number
  /** Client connections at most, as the application opens them. */
  clientConnections: number
  /** Of the section `[pgbouncer]`. */
  settings: PoolSetting[]
}

/**
 * Computes a pooler in transaction mode.
 * @throws Failure OUTGROW_POOL_NO_ROOM
 */
export function planPool(request: PoolRequest): PoolPlan {
  const { databases, roles, auth, processes, connectionLimit } = request
  const pools = databases.length * roles.length
  const authConnections = auth === 'query' ? databases.length : 0
  const { size, why } = poolSize(request, pools, authConnections)
  const clientConnections = processes * connectionLimit
  return {
    poolSize: size,
    pools,
    authConnections,
    serverConnections: size * pools + authConnections,
    clientConnections,
    settings: [
      {
        name: 'pool_mode',
        value: 'transaction',
        why: 'A server connection serves a client for one transaction: in session mode it would serve as few clients as Postgres does.',
      },
      { name: 'default_pool_size', value: size, why },
      {
        name: 'min_pool_size',
        value: 0,
        why: 'Connections are made when they are needed; a quiet pool holds none.',
      },
      {
        name: 'reserve_pool_size',
        value: 0,
        why: 'A reserve would come on top of each pool, beyond what was counted.',
      },
      {
        name: 'max_db_connections',
        value: size * roles.length + (auth === 'query' ? 1 : 0),
        why: `The most for one database, whoever connects: ${plural(roles.length, 'pool')} of ${size}${auth === 'query' ? ', and one connection of the role that asks for passwords' : ''}.`,
      },
      {
        name: 'max_client_conn',
        value: Math.max(100, 2 * clientConnections + 10),
        why: `${processes} processes with connection_limit=${connectionLimit} open ${clientConnections}; twice that, since a deployment runs the old and the new ones side by side, and 10 for people. Each takes a file descriptor.`,
      },
      queryWait(request),
      {
        name: 'idle_transaction_timeout',
        value: 60,
        why: 'A process that was cut off inside a transaction gives its server connection back after a minute. Prisma ends transactions after 5 s by itself.',
      },
      {
        name: 'server_idle_timeout',
        value: 600,
        why: 'Server connections that nobody used for ten minutes are closed.',
      },
      {
        name: 'server_lifetime',
        value: 3600,
        why: 'Each server connection is replaced after an hour: its memory is given back, and settings of roles arrive.',
      },
    ],
  }
}

function poolSize(
  request: PoolRequest,
  pools: number,
  authConnections: number,
): { size: number; why: string } {
  const { cores, maxConnections, superuserReserved } = request
  const reserved = superuserReserved + directConnections + authConnections
  const usable = Math.floor(usedShare * maxConnections) - reserved
  const bounds = [
    { size: 2 * cores + 1, why: `2 × ${cores} cores + 1` },
    {
      size: Math.floor(usable / pools),
      why: `(80 % of max_connections ${maxConnections} - ${reserved} reserved) / ${plural(pools, 'pool')}`,
    },
    ...request.databases.flatMap(({ name, connectionLimit }) =>
      connectionLimit === null
        ? []
        : [
            {
              size: withinLimit(connectionLimit - Math.sign(authConnections), request.roles.length),
              why: `the CONNECTION LIMIT ${connectionLimit} of database ${name}, less ${directConnections} for DIRECT_URL`,
            },
          ],
    ),
    ...request.roles.flatMap(({ name, connectionLimit }) =>
      connectionLimit === null
        ? []
        : [
            {
              size: withinLimit(connectionLimit, request.databases.length),
              why: `the CONNECTION LIMIT ${connectionLimit} of role ${name}, less ${directConnections} for DIRECT_URL`,
            },
          ],
    ),
  ].toSorted((one, other) => one.size - other.size)
  const [least] = bounds as [(typeof bounds)[0]]
  const shares = `Reserved: ${superuserReserved} by the server, ${directConnections} for DIRECT_URL${authConnections > 0 ? `, ${authConnections} for the role that asks for passwords` : ''}`
  if (least.size < 1) {
    throw new Failure({
      code: 'OUTGROW_POOL_NO_ROOM',
      message: `There is no room for ${plural(pools, 'pool')}: ${least.why} leaves ${Math.max(0, least.size)} connections for each. ${shares}.`,
      why: 'Each role in each database is a pool of its own, and needs at least one connection.',
      fix: 'Raise max_connections or the limit, or pool fewer roles and databases.',
    })
  }
  return {
    size: least.size,
    why: `The least of ${bounds.map(({ why, size }) => `${why} = ${size}`).join(' and ')}. More connections than cores can serve would only wait there. ${shares}.`,
  }
}

/** What is left of a limit for each pool; one at least, as long as the limit itself has one: an application goes before a move. */
function withinLimit(limit: number, pools: number): number {
  return Math.max(Math.min(1, Math.floor(limit / pools)), Math.floor((limit - directConnections) / pools))
}

function queryWait({ poolTimeoutSeconds }: PoolRequest): PoolSetting {
  return {
    name: 'query_wait_timeout',
    // Less than half a second would refuse what a busy moment delays.
    value: Math.max(0.5, poolTimeoutSeconds > 4 ? poolTimeoutSeconds - 2 : poolTimeoutSeconds / 2),
    why: `Seconds that a statement waits for a server connection: less than the ${poolTimeoutSeconds} s of pool_timeout, after which the application has given up, and the statement would run for nobody.`,
  }
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
