import { exit } from '@outgrow/kit'
import type { MoveResult } from '../flows/offline.ts'
import { findingOf, type Finding } from '../model/finding.ts'

/** What a finished move comes to. */
export interface Judgement {
  /** The move's own, and whether the source has advanced. */
  findings: Finding[]
  /** Every digest is the same on both sides. */
  isEqual: boolean
  /** Rows were set aside. */
  isQuarantined: boolean
  /** An application may be pointed at the target. */
  maySwitch: boolean
  exitCode: number
}

/** Decides what a finished move amounts to: whether its target may be switched to, and with which status it ends. */
export function judgeMove(
  result: Pick<MoveResult, 'tables' | 'findings' | 'advanced' | 'laterRows'>,
  { acceptQuarantine }: { acceptQuarantine: boolean },
): Judgement {
  const { tables, advanced } = result
  const findings = advanced ? [...result.findings, advancedFinding(result.laterRows)] : result.findings
  const isEqual = tables.every(({ digestMatch }) => digestMatch)
  const isQuarantined = tables.some(({ quarantinedRows }) => quarantinedRows > 0)
  const isWhole = findings.every(({ code }) => code !== 'OUTGROW_CONSTRAINT_LOST')
  return {
    findings,
    isEqual,
    isQuarantined,
    maySwitch: isEqual && isWhole && !advanced && (!isQuarantined || acceptQuarantine),
    exitCode: findings.length === 0 && !isQuarantined ? exit.done : exit.findings,
  }
}

function advancedFinding(laterRows: number): Finding {
  return findingOf({
    code: 'OUTGROW_SOURCE_ADVANCED',
    table: null,
    count: Math.max(1, laterRows),
    reason:
      laterRows > 0
        ? 'were added to the source after the snapshot and are not in the target'
        : 'were changed in the source after the snapshot; the target has the earlier values',
    fixes: ['stop the application, empty the target and run the command again'],
  })
}
