import { runStatements } from '@outgrow/databases'
import { Ledger } from '../ledger/ledger.ts'
import { recordOf, resumable, runUnfinished } from '../ledger/record.ts'
import { dropRun } from '../ledger/runs.ts'
import { refuseDrift } from '../model/plan.ts'
import type { Staging } from '../model/staging.ts'
import { readTargetState } from '../target/postgres/checks.ts'
import { expectedTables } from '../target/postgres/expected-tables.ts'
import { withLocks } from '../target/postgres/locks.ts'
import { buildStaging, setSearchPath } from '../target/postgres/stage.ts'
import type { PostgresTarget } from '../target/postgres/postgres-target.ts'
import { deferCasts } from './cast.ts'
import { claimTarget } from './open-target.ts'
import { prepare } from './prepare.ts'
import type { MoveRequest } from './move-request.ts'
import type { Run, Step } from './step.ts'
import { takeSnapshot } from './take-snapshot.ts'

/** What was built in the target, and the connections that fill it. */
export interface Staged {
  staging: Staging
  ledger: Ledger
  /** Two connections that load and build: the server is the wall, and more would only queue. */
  loaders: [PostgresTarget, PostgresTarget]
  /** Builds keys and takes digests of what was loaded, while the others go on. */
  builder: PostgresTarget
}

/**
 * Builds the tables in schemas of the run's own, or goes on with those of an unfinished run. Nothing of it is visible in
 * the target until it is published.
 * @throws Failure OUTGROW_TARGET_NOT_EMPTY, OUTGROW_SCHEMA_DRIFT, OUTGROW_RUN_UNFINISHED, OUTGROW_SOURCE_CHANGED, OUTGROW_CAST_FAILED
 */
export const stage: Step<Staged, MoveRequest> = {
  name: 'stage',
  title: 'Build the tables and rehearse publishing them',
  run: async (run) => {
    const { target, others } = run.of(claimTarget)
    const staging = await stagingOf(run, target)
    const [second, builder] = others
    await Promise.all(
      [target, ...others].map(({ client }) =>
        runStatements(client, [
          setSearchPath(Object.values(staging.schemas), staging.home),
          "SET maintenance_work_mem = '256MB'",
          'SET synchronous_commit = on',
        ]),
      ),
    )
    const ledger = new Ledger(target.client, staging)
    return {
      value: { staging, ledger, loaders: [target, second], builder },
      findings: staging.carried.left,
      undo: () => dropRun(target.client, staging),
    }
  },
}

async function stagingOf(run: Run<MoveRequest>, { client }: PostgresTarget): Promise<Staging> {
  const { request } = run
  const record = recordOf(request.options, run.of(takeSnapshot), run.of(prepare))
  const { unfinished } = run.of(claimTarget)
  if (unfinished && request.unfinished === 'resume') return resumable(unfinished, record)
  if (unfinished && request.unfinished === 'refuse') throw runUnfinished(unfinished)
  if (unfinished) await dropRun(client, unfinished)
  return build(run, client, record)
}

async function build(
  run: Run<MoveRequest>,
  client: PostgresTarget['client'],
  record: Staging['record'],
): Promise<Staging> {
  const { target, options } = run.request
  const prepared = run.of(prepare)
  const snapshot = run.of(takeSnapshot)
  const home = target.schema
  const schemas = [home, ...prepared.others]
  const state = await readTargetState(client, schemas, expectedTables(prepared, home))
  return withLocks(client, schemas, async () => {
    const { staging, plan } = await buildStaging(client, {
      run: run.request.graduation,
      home,
      others: prepared.others,
      ddl: prepared.ddl,
      replaces: state === 'migrated',
      adds: !prepared.hasMigrations,
      rehearses: true,
      tables: snapshot.tables(),
      objects: snapshot.objects(),
      storage: prepared.storage,
      options,
      record,
    })
    refuseDrift(plan.findings)
    const ledger = new Ledger(client, staging)
    await ledger.create(staging)
    await deferCasts(client, ledger, plan)
    return staging
  })
}
