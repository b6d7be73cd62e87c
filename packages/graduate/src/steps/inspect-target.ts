import { refusePooled, withPostgres, type PostgresClient } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { recordOf, runUnfinished } from '../ledger/record.ts'
import { findRuns, refuseGraduating, unfinishedIn } from '../ledger/runs.ts'
import { findingOf, type Finding } from '../model/finding.ts'
import type { Plan } from '../model/plan.ts'
import type { Staging } from '../model/staging.ts'
import { checkServer, readTargetState } from '../target/postgres/checks.ts'
import { expectedTables } from '../target/postgres/expected-tables.ts'
import { beginWithLockWait, lockedFailure } from '../target/postgres/locks.ts'
import { explained } from '../target/postgres/server-failure.ts'
import { buildStaging } from '../target/postgres/stage.ts'
import { prepare } from './prepare.ts'
import { refusePending } from './refuse-pending.ts'
import type { Run, RunRequest, Step } from './step.ts'
import { takeSnapshot } from './take-snapshot.ts'

/** Asks what a move would do at a Postgres that keeps nothing of it. */
export interface InspectTargetRequest extends RunRequest {
  /** The Postgres only lends its catalog: nobody means to move there, and what it holds does not matter. */
  isScratch: boolean
}

export interface TargetInspection {
  plan: Plan
  /** As they would be built: keys, indexes, references. */
  staging: Staging
}

/**
 * Builds what a move would build, in a transaction that is taken back, and returns what Postgres' own catalog says of it.
 * What is in the way of a move there is a finding.
 * @throws Failure OUTGROW_SCHEMA_DDL, OUTGROW_SCHEMA_DRIFT, OUTGROW_TARGET_POOLED and what a move would fail over before its first row
 */
export const inspectTarget: Step<TargetInspection, InspectTargetRequest> = {
  name: 'stage',
  title: 'Build the tables and roll them back',
  run: async (run) => {
    refusePending(run.of(prepare))
    if (!run.request.isScratch) await refusePooled(run.request.target)
    return withPostgres(run.request.target, async (client) => {
      const { state, findings } = await stateOf(run, client)
      const value = await buildAndTakeBack(run, client, state)
      return { value, findings: [...findings, ...value.staging.carried.left] }
    })
  },
}

type State = 'empty' | 'migrated' | 'in the way' | 'scratch'

async function stateOf(
  { request, of }: Run<InspectTargetRequest>,
  client: PostgresClient,
): Promise<{ state: State; findings: Finding[] }> {
  const { target, isScratch } = request
  if (isScratch) return { state: 'scratch', findings: [] }
  const prepared = of(prepare)
  const schemas = [target.schema, ...prepared.others]
  try {
    await checkServer(client)
    const runs = await findRuns(client)
    refuseGraduating(runs)
    const unfinished = unfinishedIn(runs)
    if (unfinished) throw runUnfinished(unfinished)
    return {
      state: await readTargetState(client, schemas, expectedTables(prepared, target.schema)),
      findings: [],
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { state: 'in the way', findings: [inTheWay(error)] }
  }
}

async function buildAndTakeBack(
  { request, of }: Run<InspectTargetRequest>,
  client: PostgresClient,
  state: State,
): Promise<TargetInspection> {
  const home = request.target.schema
  const prepared = of(prepare)
  const snapshot = of(takeSnapshot)
  await client.query(beginWithLockWait)
  try {
    return await buildStaging(client, {
      home,
      others: prepared.others,
      ddl: prepared.ddl,
      replaces: state === 'migrated',
      adds: !prepared.hasMigrations,
      rehearses: state === 'empty' || state === 'migrated',
      tables: snapshot.tables(),
      objects: snapshot.objects(),
      storage: prepared.storage,
      options: request.options,
      record: recordOf(request.options, snapshot, prepared),
    })
  } catch (error) {
    if ((error as { code?: string }).code === '55P03') {
      await client.query('ROLLBACK')
      throw await lockedFailure(client, [home, ...prepared.others], error)
    }
    throw explained(error, [client])
  } finally {
    await client.query('ROLLBACK').catch(() => {})
  }
}

function inTheWay({ code, message, fix }: Failure): Finding {
  return findingOf({ code, table: null, reason: message, fixes: fix === undefined ? [] : [fix] })
}
