import {
  listProcesses,
  openSqliteReadonly,
  parsePostgresUrl,
  parseSqliteSource,
  readAuthority,
  refusePooled,
  withPostgres,
  type ApplicationProcess,
  type GraduationState,
  type PostgresClient,
} from '@outgrow/databases'
import { messageOf } from '@outgrow/kit'
import {
  GraduationLedger,
  graduationRun,
  type Graduation,
  type LastVerification,
  type Pause,
} from '../../ledger/graduation.ts'
import { whoWorks } from '../../ledger/run-lock.ts'
import { readLogState } from '../../source/sqlite/live/change-log.ts'
import { isCaptured } from '../../source/sqlite/live/capture.ts'
import { livingProcesses, verificationObstacles } from '../../steps/live/obstacles.ts'
import { backLogState } from '../../target/postgres/live/capture-back.ts'

/** What is known of a graduation, from both sides. */
export interface GraduationStatus {
  /** Its name; null where none is under way. */
  name: string | null
  state: GraduationState | 'none'
  side: 'sqlite' | 'postgres'
  epoch: number
  /** ISO 8601: since when it is in this state. */
  since: string | null
  /** The process that works on it, in words; null where none does. */
  follower: string | null
  /** Entries of the log that the other side has not applied yet, and for how long at most; null where that is not known. */
  lag: { entries: number; seconds: number | null } | null
  /** Number of the newest entry of the file's log. */
  newest: number
  /** Entries that the log takes before it is full. */
  room: number | null
  overflowed: boolean
  verified: LastVerification | null
  pauses: Pause[]
  processes: (ApplicationProcess & { isSilent: boolean })[]
  /** What stands in the way of the next switch, in words. */
  obstacles: string[]
}

const nothing: GraduationStatus = {
  name: null,
  state: 'none',
  side: 'sqlite',
  epoch: 0,
  since: null,
  follower: null,
  lag: null,
  newest: 0,
  room: null,
  overflowed: false,
  verified: null,
  pauses: [],
  processes: [],
  obstacles: [],
}

/**
 * Looks at a graduation and changes nothing.
 * @param to without it only the file is asked
 */
export async function graduationStatus({
  from,
  to,
}: {
  from: string
  to?: string | undefined
}): Promise<GraduationStatus> {
  const status = fileStatus(parseSqliteSource(from).path)
  const { name } = status
  if (name === null || status.state === 'completed') return status
  if (to === undefined)
    return {
      ...status,
      obstacles: [...status.obstacles, 'the target was not asked: pass --to, or set POSTGRES_URL'],
    }
  try {
    await refusePooled(to)
    return await withPostgres(parsePostgresUrl(to), (client) => withTarget(client, status, name))
  } catch (error) {
    return { ...status, obstacles: [...status.obstacles, `the target cannot be asked: ${messageOf(error)}`] }
  }
}

function fileStatus(path: string): GraduationStatus {
  const database = openSqliteReadonly(path)
  try {
    const authority = readAuthority(database)
    if (authority === undefined) return nothing
    const { graduation, state, side, epoch, changedAt } = authority
    const all = listProcesses(database)
    const living = new Set(livingProcesses(all).map(({ id }) => id))
    const processes = all.map((one) => ({ ...one, isSilent: !living.has(one.id) }))
    const log = isCaptured(database) && side === 'sqlite' ? readLogState(database) : undefined
    return {
      ...nothing,
      name: graduation,
      state,
      side,
      epoch,
      since: changedAt,
      lag: log ? { entries: log.newest - log.applied, seconds: null } : null,
      newest: log?.newest ?? 0,
      room: log ? log.limit - log.newest : null,
      overflowed: log?.overflowed ?? false,
      processes,
      obstacles: [
        ...(log?.overflowed ? ['the log of changes is full: the copy must begin again'] : []),
        ...processes
          .filter(({ isSilent, reaches }) => !isSilent && reaches !== true)
          .map(
            ({ name, pid, host, problem }) =>
              `${name} (process ${pid} on ${host}) ${problem ?? 'has not connected to the target yet'}`,
          ),
      ],
    }
  } finally {
    database.close()
  }
}

async function withTarget(
  client: PostgresClient,
  status: GraduationStatus,
  name: string,
): Promise<GraduationStatus> {
  const staging = await graduationRun(client, name)
  const follower = (await whoWorks(client)) ?? null
  if (staging === undefined) {
    const missing = status.state === 'capturing' ? [] : [`the target does not have the graduation ${name}`]
    return { ...status, follower, obstacles: [...status.obstacles, ...missing] }
  }
  const ledger = new GraduationLedger(client, staging)
  if (!(await ledger.exists())) return { ...status, follower }
  const graduation: Graduation = await ledger.read()
  const back = await backLogState(client, { schema: ledger.schema, record: ledger.table }, graduation.tables)
  const { verified, pauses } = graduation
  const { newest } = status
  const obstacles = [...status.obstacles]
  if (status.side === 'sqlite') {
    if (verified === null) obstacles.push('both sides have not been compared yet')
    else obstacles.push(...verificationObstacles(verified))
    if (back.entries > 0) obstacles.push(`${back.entries} rows of the target were changed by somebody else`)
  } else if (back.overflowed) obstacles.push('the log of the target’s changes is full: there is no way back')
  return {
    ...status,
    follower,
    // The target is asked after the file, and may have applied more by then.
    lag:
      status.side === 'postgres'
        ? { entries: back.entries, seconds: null }
        : lagOf(Math.max(0, newest - graduation.applied), graduation.lookedAt),
    overflowed: status.side === 'postgres' ? back.overflowed : status.overflowed,
    verified,
    pauses,
    obstacles,
  }
}

function lagOf(entries: number, lookedAt: string): GraduationStatus['lag'] {
  const seconds = entries === 0 ? 0 : Math.max(0, (Date.now() - Date.parse(lookedAt)) / 1000)
  return { entries, seconds: Math.round(seconds * 10) / 10 }
}
