import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { missingItems, quoteIdentifier, runStatements } from '@outgrow/databases'
import { findingOf, type Finding } from '../../model/finding.ts'
import { addConstraints } from '../../target/postgres/constraints.ts'
import { inPlace } from '../../target/postgres/live/placing.ts'
import { setSearchPath } from '../../target/postgres/stage.ts'
import { writeBaselineFiles } from '../baseline.ts'
import type { LiveSession } from './session.ts'

export interface Finished {
  findings: Finding[]
  /** What was written into the project, in words. */
  notes: string[]
}

/**
 * What a switch leaves for the time after it, when nobody waits: foreign keys are checked against the rows, and the
 * structure is held against what was promised.
 */
export async function finishSwitch(session: LiveSession): Promise<Finished> {
  const { target, ledger, staging, graduation } = session
  const { client } = target
  await runStatements(client, [setSearchPath(Object.keys(staging.schemas), staging.home)])
  const findings: Finding[] = []
  /** As the structure names them. */
  const notValid = new Set<string>()
  const foreign = staging.constraints.filter(({ kind }) => kind === 'foreign')
  for (const key of inPlace(foreign, staging)) {
    try {
      await addConstraints(client, [key])
    } catch (error) {
      const { code } = error as { code?: string }
      if (code !== '23503') throw error
      notValid.add(`${key.schema}.${key.table}.${key.name}`)
      findings.push(
        findingOf({
          code: 'OUTGROW_ORPHAN',
          table: key.table,
          column: key.columns.join(', '),
          reason: `references rows of ${key.parent?.table ?? ''} that do not exist; ${key.name} is in place for new rows and stays NOT VALID`,
          fixes: [
            `ALTER TABLE ${quoteIdentifier(key.table)} VALIDATE CONSTRAINT ${quoteIdentifier(key.name)} once they are mended`,
          ],
        }),
      )
    }
  }
  const found = await target.structure(Object.keys(staging.schemas))
  const missing = missingItems(staging.promised, found).filter(
    ({ kind, name }) => !(kind === 'constraint' && notValid.has(name)),
  )
  findings.push(
    ...missing.map(({ kind, name, definition }) =>
      findingOf({
        code: 'OUTGROW_STRUCTURE_MISSING',
        table: name,
        excerpt: definition,
        reason: `the ${kind} that the graduation promised is missing or different`,
        fixes: [],
      }),
    ),
  )
  await ledger.recordFinished()
  graduation.finishedEpoch = graduation.epoch
  return { findings, notes: writtenBaseline(graduation, staging) }
}

/** The project may lie elsewhere: then it is said. */
function writtenBaseline({ baseline }: LiveSession['graduation'], staging: LiveSession['staging']): string[] {
  if (baseline === null || baseline.hasMigrations || staging.replaces) return []
  if (!existsSync(dirname(baseline.postgresDirectory)))
    return [
      `The first Postgres migration was not written: ${baseline.postgresDirectory} is not on this machine.`,
    ]
  if (existsSync(join(baseline.postgresDirectory, 'migrations'))) return []
  return writeBaselineFiles(baseline, staging, baseline.migrations)
}

/** Whether the switch was made, and what it leaves for the time after it was not done. */
export function isUnfinished({ graduation }: LiveSession): boolean {
  return graduation.state === 'switched' && graduation.finishedEpoch !== graduation.epoch
}
