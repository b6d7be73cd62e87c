import { parsePostgresUrl, withPostgres, type SourceTable } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import type { MoveOptions } from '../options.ts'
import type { Plan } from '../plan.ts'
import type { PreparedSchema } from '../prepare.ts'
import { findingOf, type Finding } from '../report.ts'
import type { SourceObject } from '../source/objects.ts'
import { expectedTables } from './expected-tables.ts'
import { unfinishedRun } from '../run/record.ts'
import { checkServer, readTargetState } from './checks.ts'
import { lockedFailure, lockWaitMs } from './locks.ts'
import { explained } from './server-failure.ts'
import { buildStaging, type RunRecord, type Staging } from './staging.ts'

/** Where a move would go, or a Postgres that only lends its catalog. */
export interface LookedAt {
  url: string
  /** Nobody means to move there: what it holds does not matter. */
  isScratch: boolean
}

export interface Looked {
  plan: Plan
  /** As they would be built: keys, indexes, references. */
  staging: Staging
  /** What is in the way of a move there. */
  findings: Finding[]
}

/**
 * Builds what a move would build, in a transaction that is taken back, and returns what Postgres' own catalog says of it.
 * @throws Failure OUTGROW_SCHEMA_DDL, OUTGROW_SCHEMA_DRIFT and what a move would fail over before its first row
 */
export async function lookAtTarget(
  { url, isScratch }: LookedAt,
  request: { prepared: PreparedSchema; tables: SourceTable[]; objects: SourceObject[]; options: MoveOptions },
): Promise<Looked> {
  const { prepared, tables, objects, options } = request
  const target = parsePostgresUrl(url)
  const home = target.schema
  return withPostgres(target, async (client) => {
    const findings: Finding[] = []
    let replaces = false
    let isFree = true
    try {
      const expected = expectedTables(prepared, home)
      if (!isScratch) await checkServer(client, target)
      const state = isScratch
        ? ({ kind: 'empty' } as const)
        : await readTargetState(client, [home, ...prepared.others], expected)
      replaces = state.kind === 'migrated'
      if ('staging' in state) throw unfinishedRun(state.staging)
      isFree = !isScratch
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      findings.push(inTheWay(error))
      isFree = false
    }
    await client.query('BEGIN')
    try {
      await client.query(`SET LOCAL lock_timeout = ${lockWaitMs}`)
      const { plan, staging } = await buildStaging(client, {
        home,
        others: prepared.others,
        ddl: prepared.ddl,
        replaces,
        adds: !prepared.hasMigrations,
        rehearses: isFree,
        tables,
        objects,
        storage: prepared.storage,
        options,
        record: noRecord,
      })
      return { plan, staging, findings }
    } catch (error) {
      if ((error as { code?: string }).code === '55P03') {
        await client.query('ROLLBACK')
        throw await lockedFailure(client, [home, ...prepared.others], error)
      }
      throw explained(error, [client])
    } finally {
      await client.query('ROLLBACK').catch(() => {})
    }
  })
}

/** Nothing of a look is kept. */
const noRecord: RunRecord = {
  version: 1,
  source: '',
  fingerprint: '',
  startedAt: '',
  rules: [],
  onBadValue: 'stop',
  skipTables: [],
  skipColumns: [],
  skipObjects: [],
  casts: [],
  schema: '',
}

function inTheWay({ code, message, fix }: Failure): Finding {
  return findingOf({
    code,
    table: null,
    reason: message,
    fixes: fix === undefined ? [] : [fix],
  })
}
