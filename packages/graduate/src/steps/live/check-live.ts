import { Failure } from '@outgrow/kit'
import type { FollowedTable } from '../../model/change.ts'
import { findingOf, Refusal, type Finding } from '../../model/finding.ts'
import type { PlannedTable } from '../../model/plan.ts'
import { dropRun } from '../../ledger/runs.ts'
import { isCaptured, readCapturedTables } from '../../source/sqlite/live/capture.ts'
import type { CapturedTable } from '../../source/sqlite/live/captured-table.ts'
import { captureKey, captureProblems } from '../../source/sqlite/live/capture-problems.ts'
import { hashesRows } from '../../target/postgres/row-hash.ts'
import { isCast } from '../../types/value-types.ts'
import { damaged } from '../check-health.ts'
import { claimTarget } from '../open-target.ts'
import { plan } from '../plan.ts'
import { stage } from '../stage.ts'
import type { Run, Step } from '../step.ts'
import { takeSnapshot } from '../take-snapshot.ts'
import type { GraduateRequest } from './graduate-request.ts'
import { openFile } from './open-file.ts'

/**
 * Refuses what cannot be graduated live, before anything is touched in the application's file. Everything that stands in
 * the way is named at once.
 * @throws Refusal OUTGROW_LIVE_REFUSED
 */
export const checkLive: Step<FollowedTable[], GraduateRequest> = {
  name: 'check',
  title: 'Check what a live graduation needs',
  run: async (run) => {
    const { target, unfinished } = run.of(claimTarget)
    const { staging } = run.of(stage)
    try {
      const { tables, findings } = followed(run)
      // A graduation that goes on was checked when it began.
      if (unfinished === undefined) findings.push(...(await problems(run)))
      if (findings.length > 0) throw refusal(findings)
      return { value: tables }
    } catch (error) {
      if (unfinished === undefined) await dropRun(target.client, staging)
      throw error
    }
  },
}

/** The planned tables with the keys that both sides know. */
function followed(run: Run<GraduateRequest>): { tables: FollowedTable[]; findings: Finding[] } {
  const { file } = run.of(openFile)
  const tables: FollowedTable[] = []
  const findings: Finding[] = []
  const known = isCaptured(file.reader) ? readCapturedTables(file.reader) : undefined
  if (known) refuseOthers(known, run.of(plan).tables)
  for (const [at, planned] of run.of(plan).tables.entries()) {
    // What the triggers write already is what is read.
    const captured = known?.find(({ name }) => name === planned.source.name)
    const names = captured?.key ?? captureKey(file.reader, planned.source)
    const key = (names ?? []).map((name) => planned.columns.findIndex(({ source }) => source === name))
    if (names === undefined) continue // named with the other problems
    const bad = names.find((_, n) => isMissing(planned, key[n] as number))
    if (bad === undefined) tables.push({ number: captured?.number ?? at + 1, planned, key })
    else findings.push(keyLost(planned, bad))
  }
  return { tables, findings }
}

/** @throws Failure OUTGROW_SOURCE_CHANGED where a graduation that goes on is asked for other tables than it captures */
function refuseOthers(known: CapturedTable[], planned: PlannedTable[]): void {
  const names = (all: string[]) => JSON.stringify(all.toSorted((a, b) => (a < b ? -1 : 1)))
  if (names(known.map(({ name }) => name)) === names(planned.map(({ source }) => source.name))) return
  throw new Failure({
    code: 'OUTGROW_SOURCE_CHANGED',
    message: 'The graduation that goes on was begun for other tables of the file.',
    why: 'Only the changes of those are captured.',
    fix: 'Run it with the same options, or take it back with outgrow graduate cancel and begin again.',
  })
}

function isMissing({ columns }: PlannedTable, at: number): boolean {
  const column = columns[at]
  return column === undefined || isCast(column)
}

async function problems(run: Run<GraduateRequest>): Promise<Finding[]> {
  const { options } = run.request
  const { client } = run.of(claimTarget).target
  const snapshot = run.of(takeSnapshot)
  const { file } = run.of(openFile)
  const { tables } = run.of(plan)
  const { integrity } = snapshot.health()
  const names = new Set(tables.map(({ source }) => source.name))
  const captured = snapshot.tables().filter(({ name }) => names.has(name))
  return [
    ...captureProblems(captured, file.reader),
    ...(integrity === 'ok' ? [] : [damaged(integrity)]),
    ...snapshot.violations(tables, run.of(stage).staging.constraints, options).map(cleanedFirst),
    ...[...options.rules].filter((rule) => rule.startsWith('orphans-')).map(ruleRefused),
    ...((await hashesRows(client)) ? [] : [serverRefused()]),
  ]
}

function refusal(findings: Finding[]): Failure {
  const named = findings
    .slice(0, 5)
    .map(({ table, reason }) => `${table === null ? '' : `${table}: `}${reason.replace(/\.$/, '')}`)
  return new Refusal(
    {
      code: 'OUTGROW_LIVE_REFUSED',
      message: `This database cannot be graduated while it runs: ${named.join('; ')}${findings.length > 5 ? ` and ${findings.length - 5} more` : ''}.`,
      why: 'Nothing was changed, in the file or in the target.',
      fix: 'Resolve what is named, or stop the application and use outgrow migrate.',
    },
    findings,
  )
}

/** Rules that change rows after the load are for offline moves. */
function cleanedFirst(finding: Finding): Finding {
  const fixes = finding.fixes.filter((fix) => !fix.startsWith('orphans-'))
  return { ...finding, fixes: [...fixes, 'correct these rows in the application’s database first'] }
}

function keyLost({ source }: PlannedTable, column: string): Finding {
  return findingOf({
    code: 'OUTGROW_KEY_UNUSABLE',
    table: source.name,
    column,
    reason: 'has a key that the target does not have in the same form',
    fixes: ['move the key’s columns as they are: without --skip-column and --cast'],
  })
}

function ruleRefused(rule: string): Finding {
  return findingOf({
    code: 'OUTGROW_OPTION_INVALID',
    table: null,
    reason: `--fix ${rule} changes rows after they were copied, and both sides would never be equal`,
    fixes: ['clean these references in the application’s database first'],
  })
}

function serverRefused(): Finding {
  return findingOf({
    code: 'OUTGROW_OPTION_INVALID',
    table: null,
    reason: 'the target’s server does not hash rows as they are hashed here; PostgreSQL 14 and later do',
    fixes: ['use a newer server, or stop the application and use outgrow migrate'],
  })
}
