import type { PostgresClient } from '@outgrow/databases'
import { findRuns } from '../ledger/runs.ts'
import { lockTarget } from '../ledger/run-lock.ts'
import { isSameRun, isSameSource, otherSchema, recordOf } from '../ledger/record.ts'
import { recordVersion, type Staging } from '../model/staging.ts'
import { checkServer } from '../target/postgres/checks.ts'
import { connectForRun } from '../target/postgres/connect.ts'
import { PostgresTarget } from '../target/postgres/postgres-target.ts'
import { hashesRows } from '../target/postgres/row-hash.ts'
import { explained } from '../target/postgres/server-failure.ts'
import type { MoveRequest } from './move-request.ts'
import { prepare } from './prepare.ts'
import { refusePending } from './refuse-pending.ts'
import type { Run, Step } from './step.ts'
import { takeSnapshot } from './take-snapshot.ts'

/** The target, once it is open. */
export interface OpenTarget {
  target: PostgresTarget
  /** Opens a further connection, which is closed with the run. */
  connect(): Promise<PostgresTarget>
  /** The published run that the target's rows came from, undefined when nobody recorded one. */
  recorded: Staging | undefined
}

/** Opens the target to compare it; whoever filled it last is taken from its ledger. */
export const openTarget: Step<OpenTarget> = {
  name: 'open',
  title: 'Open the target',
  run: async (run) => {
    const opened = await open(run)
    const { path } = run.of(takeSnapshot)
    const runs = await publishedRuns(opened.target.client, run.request.target.schema)
    return { value: { ...opened, recorded: runs.find(({ record }) => record.source === path) ?? runs[0] } }
  },
}

/**
 * Takes the target for this run.
 * `recorded` is then a run that has published this very state of the source, asked for the same: nothing is left to move.
 * @throws Failure OUTGROW_TARGET_ENCODING, OUTGROW_TARGET_POOLED, OUTGROW_RUN_ACTIVE, OUTGROW_SOURCE_CHANGED, OUTGROW_MIGRATION_PENDING
 */
export const claimTarget: Step<OpenTarget, MoveRequest> = {
  name: 'claim',
  title: 'Lock the target for this run',
  run: async (run) => {
    const prepared = run.of(prepare)
    const { renderedWith } = run.request
    if (renderedWith !== undefined && renderedWith !== prepared.checksum) throw otherSchema()
    refusePending(prepared)
    const opened = await open(run)
    const { client } = opened.target
    await checkServer(client, run.request.target)
    await lockTarget(client)
    const now = recordOf(run.request.options, run.of(takeSnapshot), prepared)
    const published = (await publishedRuns(client, run.request.target.schema)).find(
      ({ record }) => isSameSource(record, now) && isSameRun(record, now),
    )
    // Somebody may have dropped its tables since, to fill the target anew.
    const recorded = published && (await hasPublishedTables(opened.target, published)) ? published : undefined
    return { value: { ...opened, recorded } }
  },
}

async function open({ request, defer, explain }: Run): Promise<Omit<OpenTarget, 'recorded'>> {
  let hashes: boolean | undefined
  const clients: PostgresClient[] = []
  explain((error) => explained(error, clients))
  defer(async () => {
    await Promise.all(clients.map((client) => client.end().catch(() => {})))
  })
  const connect = async () => {
    const client = await connectForRun(request.target)
    clients.push(client)
    return new PostgresTarget(client, (hashes ??= !request.readsBack && (await hashesRows(client))))
  }
  return { target: await connect(), connect }
}

async function publishedRuns(client: PostgresClient, home: string): Promise<Staging[]> {
  const runs = await findRuns(client)
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
