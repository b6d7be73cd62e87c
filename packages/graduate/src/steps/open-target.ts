import type { PostgresClient } from '@outgrow/databases'
import { dropRun, findRuns, refuseGraduating, unfinishedIn, type FoundRun } from '../ledger/runs.ts'
import { lockTarget } from '../ledger/run-lock.ts'
import { isGraduationOf, isSameRun, isSameSource, otherSchema, recordOf } from '../ledger/record.ts'
import { recordVersion, type RunRecord, type Staging } from '../model/staging.ts'
import { checkServer } from '../target/postgres/checks.ts'
import { connectForRun } from '../target/postgres/connect.ts'
import { hashHere } from '../target/postgres/hash-here.ts'
import { hashOnServer } from '../target/postgres/hash-on-server.ts'
import { PostgresTarget } from '../target/postgres/postgres-target.ts'
import { hashesRows } from '../target/postgres/row-hash.ts'
import { explained } from '../target/postgres/server-failure.ts'
import type { MoveRequest } from './move-request.ts'
import { prepare } from './prepare.ts'
import { refusePending } from './refuse-pending.ts'
import type { Run, RunRequest, Step } from './step.ts'
import { takeSnapshot } from './take-snapshot.ts'

/** The target, once it is open. */
export interface OpenTarget {
  target: PostgresTarget
  /** The published run that the target's rows came from, undefined when nobody recorded one. */
  recorded: Staging | undefined
}

/** The target, once this run has it for itself. */
export interface ClaimedTarget extends OpenTarget {
  /** Further connections. */
  others: [PostgresTarget, PostgresTarget]
  /** The run that was begun and not published, if there is one. */
  unfinished: Staging | undefined
}

/** Opens the target to compare it; whoever filled it last is taken from its ledger. */
export const openTarget: Step<OpenTarget, RunRequest, Connections> = {
  name: 'open',
  title: 'Open the target',
  begin: (run) => connections(run, 1),
  run: async (run, begun) => {
    const [target] = (await begun) as [PostgresTarget]
    const { path } = run.of(takeSnapshot)
    const runs = publishedIn(await findRuns(target.client), run.request.target.schema)
    return { value: { target, recorded: runs.find(({ record }) => record.source === path) ?? runs[0] } }
  },
}

/**
 * Takes the target for this run.
 * `recorded` is then a run that has published this very state of the source, asked for the same: nothing is left to move.
 * @throws Failure OUTGROW_TARGET_ENCODING, OUTGROW_TARGET_POOLED, OUTGROW_RUN_ACTIVE, OUTGROW_SOURCE_CHANGED, OUTGROW_MIGRATION_PENDING
 */
export const claimTarget: Step<ClaimedTarget, MoveRequest, Connections> = {
  name: 'claim',
  title: 'Lock the target for this run',
  begin: (run) => connections(run, 3),
  run: async (run, begun) => {
    const prepared = run.of(prepare)
    const { renderedWith } = run.request
    if (renderedWith !== undefined && renderedWith !== prepared.checksum) throw otherSchema()
    refusePending(prepared)
    const [target, second, third] = (await begun) as [PostgresTarget, PostgresTarget, PostgresTarget]
    const { client } = target
    await checkServer(client)
    await lockTarget(client)
    const runs = await findRuns(client)
    const { graduation } = run.request
    refuseGraduating(runs.filter(({ staging }) => staging.run !== graduation))
    const now = recordOf(run.request.options, run.of(takeSnapshot), prepared)
    const published = publishedIn(runs, run.request.target.schema).find(
      ({ record }) => isSameSource(record, now) && isSameRun(record, now),
    )
    // Somebody may have dropped its tables since, to fill the target anew.
    const recorded = published && (await hasPublishedTables(target, published)) ? published : undefined
    const unfinished = await begunBefore(client, runs, now, graduation)
    return { value: { target, others: [second, third], recorded, unfinished } }
  },
}

/**
 * The run to go on with. A graduation that ended before it touched its file has left one of which the file knows nothing: it
 * is dropped.
 */
async function begunBefore(
  client: PostgresClient,
  runs: FoundRun[],
  now: RunRecord,
  graduation: string | undefined,
): Promise<Staging | undefined> {
  const own = runs.find(({ staging }) => staging.run === graduation)?.staging
  const unfinished = own ?? unfinishedIn(runs)
  const isAbandoned =
    graduation !== undefined &&
    unfinished !== undefined &&
    unfinished !== own &&
    isGraduationOf(unfinished, now)
  if (!isAbandoned) return unfinished
  await dropRun(client, unfinished)
  return undefined
}

type Connections = Promise<PostgresTarget[]>

/** Opens connections, which are closed with the run. */
function connections({ request, defer, explain }: Run, count: number): Connections {
  const clients: PostgresClient[] = []
  const over = new AbortController()
  const signal = AbortSignal.any([request.signal, over.signal])
  explain((error) => (request.signal.aborted ? request.signal.reason : explained(error, clients)))
  const opening = Array.from({ length: count }, async () => {
    const client = await connectForRun(request.target, signal)
    clients.push(client)
    return client
  })
  defer(async () => {
    await Promise.all(clients.map((client) => client.end().catch(() => {})))
    // Nobody waits for a server that does not answer, once the flow has ended over something else.
    over.abort()
  })
  const opened = Promise.all(opening).then(async (all) => {
    const isServers = !request.readsBack && (await hashesRows(all[0] as PostgresClient))
    return all.map((client) => new PostgresTarget(client, isServers ? hashOnServer : hashHere))
  })
  opened.catch(() => {}) // awaited by the step; a flow that has ended before does not ask
  return opened
}

function publishedIn(runs: FoundRun[], home: string): Staging[] {
  return runs
    .filter(({ status, staging }) => status === 'published' && staging.home === home)
    .filter(({ staging }) => staging.record.version === recordVersion)
    .map(({ staging }) => staging)
}

async function hasPublishedTables(target: PostgresTarget, { schemas, promised }: Staging): Promise<boolean> {
  const tables = await target.tables(Object.keys(schemas))
  const there = new Set(tables.map(({ schema, name }) => `${schema}.${name}`))
  return promised.filter(({ kind }) => kind === 'table').every(({ name }) => there.has(name))
}
