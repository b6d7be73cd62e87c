import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { isProcessAlive } from '../process-alive.ts'
import { unfinishedRun } from './runs.ts'

/** One run at a time works on a database: 'outg', and what for. */
const lockKey = [0x6f757467, 1] as const
/** How long the server may take to end the sessions of a client that is gone. */
const goneMs = 20_000

/**
 * Takes the database for this run until the connection ends.
 * @throws Failure OUTGROW_RUN_ACTIVE naming the process that has it
 */
export async function lockTarget(client: PostgresClient): Promise<void> {
  const until = performance.now() + goneMs
  for (;;) {
    const { rows } = await client.query<{ locked: boolean }>(
      'SELECT pg_try_advisory_lock($1, $2) AS locked',
      [...lockKey],
    )
    if (rows[0]?.locked) return
    const holder = await lockHolder(client)
    if (holder && (holder.isAlive || performance.now() > until)) throw await activeRun(client, holder)
    // The sessions of a process that was killed end by themselves, at once or when their statement does.
    await sleep(100)
  }
}

/** The process that works on this database, in words; undefined where none does. */
export async function whoWorks(client: PostgresClient): Promise<string | undefined> {
  const holder = await lockHolder(client)
  if (!holder?.isAlive) return undefined
  const [, process, host] = /^outgrow (\d+)@(.*)$/.exec(holder.name) ?? []
  return process === undefined ? `session ${holder.name}` : `process ${process} on ${host}`
}

interface Holder {
  pid: number
  name: string
  since: string
  isAlive: boolean
}

async function lockHolder(client: PostgresClient): Promise<Holder | undefined> {
  const { rows } = await client.query<{ pid: number; name: string; since: string }>(
    `SELECT a.pid, a.application_name AS name, to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC' AS since
       FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1 AND l.objid = $2
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [...lockKey],
  )
  const [row] = rows
  if (!row) return undefined
  const [, pid = '', host] = /^outgrow (\d+)@(.*)$/.exec(row.name) ?? []
  // Of another machine's processes nothing is known: they count as alive.
  const isHere = host !== undefined && hostname().startsWith(host)
  return { ...row, isAlive: !isHere || isProcessAlive(Number(pid)) }
}

async function activeRun(client: PostgresClient, { pid, name, since, isAlive }: Holder): Promise<Failure> {
  const run = (await unfinishedRun(client))?.run
  const [, process, host] = /^outgrow (\d+)@(.*)$/.exec(name) ?? []
  const who = process === undefined ? `session ${name}` : `process ${process} on ${host}`
  return new Failure({
    code: 'OUTGROW_RUN_ACTIVE',
    message: `${run === undefined ? 'A run' : `The run ${run}`} is active on this database: ${who}, since ${since}${isAlive ? '' : '; its process has exited, but the server has not ended its session yet'}.`,
    why: 'Two concurrent runs would overwrite each other’s work.',
    fix: isAlive
      ? `Wait for it, or stop it with Ctrl-C where it runs. If its process is gone: SELECT pg_terminate_backend(${pid});`
      : `Run SELECT pg_terminate_backend(${pid}); then run the command again.`,
  })
}
