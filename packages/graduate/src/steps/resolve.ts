import { FindingCollector } from '../model/collectors.ts'
import type { Finding } from '../model/finding.ts'
import { plannedTable, type PlannedTable } from '../model/plan.ts'
import type { Constraint } from '../model/table.ts'
import { referenceRule, referenceRules } from '../rules/rules.ts'
import { addConstraints, dropConstraints } from '../target/postgres/constraints.ts'
import {
  countRows,
  describeRows,
  orphansOf,
  rowsViolating,
  type ViolatingRows,
} from '../target/postgres/violating-rows.ts'
import type { Violation } from '../target/target.ts'
import { copy } from './copy.ts'
import { inspectTarget } from './inspect-target.ts'
import { plan } from './plan.ts'
import { clearReference, quarantine, quarantineViolating } from './quarantine.ts'
import { stage } from './stage.ts'
import { mustStop, type Run, type Step } from './step.ts'
import { takeSnapshot } from './take-snapshot.ts'

/**
 * Resolves what rows violate of keys, indexes and checks. When the run is about to stop, or no target has the rows, what
 * the source's rows would violate is named instead, foreign keys included.
 */
export const resolve: Step = {
  name: 'resolve',
  title: 'Resolve violations',
  completesFindings: true,
  run: async (run) => {
    const { options } = run.request
    const looked = run.maybe(inspectTarget)
    if (looked || mustStop(run.findings, options)) {
      const { constraints } = (looked ?? run.of(stage)).staging
      const { tables } = run.of(plan)
      return { value: undefined, findings: run.of(takeSnapshot).violations(tables, constraints, options) }
    }
    const findings = new FindingCollector()
    const { violations } = run.of(copy)
    if (violations.length > 0) await resolveViolations(run, violations, findings)
    return { value: undefined, findings: findings.findings }
  },
}

/**
 * Resolves violations by the rules: clears references, quarantines rows with their children, to the end of the chain.
 * Every correction is recorded with the difference it makes to the table's digest. What no rule resolves becomes a finding.
 */
export async function resolveViolations(
  run: Run,
  violations: Violation[],
  findings: FindingCollector,
): Promise<void> {
  const { staging, ledger, loaders } = run.of(stage)
  const [target] = loaders
  const { options } = run.request
  const references = staging.constraints.filter(({ kind }) => kind === 'foreign')
  const others = violations.filter(({ constraint }) => constraint.kind !== 'foreign')
  // Those that stand already would cascade to rows that are to be quarantined, not lost.
  await dropConstraints(target.client, references)
  const quarantines = options.onBadValue === 'quarantine'
  for (const violation of others) {
    const table = plannedTable(run.of(plan), violation.constraint)
    if (table)
      await quarantineViolating(ledger, target, table, { findings, quarantines }, rowsViolating(violation))
  }
  await resolveOrphans(run, references, findings)
  if (mustStop([...run.findings, ...findings.findings], options)) return
  for (const { constraint } of others) await addConstraints(target.client, [constraint])
  await addConstraints(target.client, references)
}

/** Rows that are quarantined may be parents themselves: it goes on until nothing points nowhere. */
async function resolveOrphans(run: Run, keys: Constraint[], findings: FindingCollector): Promise<void> {
  for (let changed = true; changed;) {
    changed = false
    for (const key of keys) {
      const table = plannedTable(run.of(plan), key)
      if (table && (await resolveOrphansOf(run, key, table, findings))) changed = true
    }
  }
}

/** Returns whether rows were quarantined. */
async function resolveOrphansOf(
  run: Run,
  key: Constraint,
  table: PlannedTable,
  findings: FindingCollector,
): Promise<boolean> {
  const { ledger, loaders } = run.of(stage)
  const [target] = loaders
  const { options } = run.request
  const { ofQuarantined, ofNobody } = orphansOf(run.of(plan), key, ledger.quarantine)
  const followed = await found({
    columns: key.columns,
    where: ofQuarantined,
    code: 'OUTGROW_PARENT_QUARANTINED',
    reason: 'parent-quarantined',
    fixes: [],
  })
  if (followed) {
    findings.merge([followed])
    await quarantine(ledger, target, table, ofQuarantined, followed)
  }
  const optional = key.columns.every(
    (name) => !table.target.columns.find((column) => column.name === name)?.notNull,
  )
  const orphans = await found({
    columns: key.columns,
    where: ofNobody,
    code: 'OUTGROW_ORPHAN',
    reason: `references a row of ${key.parent?.table ?? ''} that does not exist`,
    fixes: referenceRules(optional).map(({ name }) => name),
  })
  if (!orphans) return followed !== undefined
  const rule = referenceRule(options.rules, optional)
  if (rule?.resolves === 'by clearing the reference') {
    await clearReference(ledger, target, table, key.columns, ofNobody, rule.name, orphans)
    return followed !== undefined
  }
  if (!rule && options.onBadValue === 'stop') {
    if (!isKnown(findings, orphans)) findings.merge([orphans])
    return followed !== undefined
  }
  findings.merge([orphans])
  await quarantine(ledger, target, table, ofNobody, orphans)
  return true

  async function found(rows: ViolatingRows): Promise<Finding | undefined> {
    const count = await countRows(target.client, table, rows.where)
    return count === 0 ? undefined : describeRows(target.client, table, rows, count)
  }
}

function isKnown({ findings }: FindingCollector, { table, column, code }: Finding): boolean {
  return findings.some((one) => one.table === table && one.column === column && one.code === code)
}
