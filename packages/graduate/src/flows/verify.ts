import { parsePostgresUrl } from '@outgrow/databases'
import type { Finding } from '../model/finding.ts'
import type { TableReport } from '../model/report.ts'
import { sqliteSource } from '../source/sqlite/snapshot.ts'
import { compareAfresh } from '../steps/compare-afresh.ts'
import { openTarget } from '../steps/open-target.ts'
import { plan } from '../steps/plan.ts'
import { prepare } from '../steps/prepare.ts'
import type { RunRequest } from '../steps/step.ts'
import { takeSnapshot } from '../steps/take-snapshot.ts'
import { runFlow, type Flow } from './run-flow.ts'

export interface Verification {
  tables: TableReport[]
  findings: Finding[]
  notes: string[]
  ms: number
}

const flow: Flow = {
  steps: [takeSnapshot, prepare, openTarget, plan, compareAfresh],
  onFindings: 'report',
}

/** The source is read by as many threads as keep two cores busy, beside the server. */
const readerThreads = 2

/**
 * Reads both databases afresh and compares every table by count and digest, and the target's structure with what was
 * promised; where they differ, names rows, columns and objects. Rules, skips and quarantined rows come from the recorded
 * run, so that what is compared is what was meant to arrive.
 */
export function verify({
  from,
  to,
  ...request
}: Omit<RunRequest, 'source' | 'target'> & { from: string; to: string }): Promise<Verification> {
  const whole = {
    ...request,
    source: sqliteSource(from, { threads: readerThreads }),
    target: parsePostgresUrl(to),
  }
  return runFlow(flow, whole, ({ run, findings, steps }) => ({
    ...run.of(compareAfresh),
    findings,
    ms: steps.find(({ name }) => name === compareAfresh.name)?.ms ?? 0,
  }))
}
