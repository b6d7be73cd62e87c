import { Failure } from '@outgrow/kit'
import type { MoveOptions } from '../options.ts'
import type { PreparedSchema } from '../prepare.ts'
import type { Snapshot } from '../source/snapshot.ts'
import type { RunRecord, Staging } from '../target/staging.ts'

export function recordOf(
  { options }: { options: MoveOptions },
  snapshot: Snapshot,
  prepared: PreparedSchema,
): RunRecord {
  return {
    version: 1,
    source: snapshot.path,
    fingerprint: snapshot.fingerprint,
    startedAt: new Date().toISOString(),
    rules: [...options.rules].toSorted(),
    onBadValue: options.onBadValue,
    skipTables: [...options.skipTables].toSorted(),
    skipColumns: [...options.skipColumns].toSorted(),
    skipObjects: [...options.skipObjects].toSorted(),
    casts: [...options.casts],
    schema: prepared.checksum,
  }
}

/** Whether two runs read the same state of the same file. */
export function isSameSource(a: RunRecord, b: RunRecord): boolean {
  return a.fingerprint === b.fingerprint && a.source === b.source
}

/** Whether two runs were told the same. */
export function isSameRun(a: RunRecord, b: RunRecord): boolean {
  const told = (r: RunRecord) =>
    JSON.stringify([r.rules, r.onBadValue, r.skipTables, r.skipColumns, r.skipObjects, r.casts, r.schema])
  return told(a) === told(b)
}

export function resumable(staging: Staging, now: RunRecord): Staging {
  const { record } = staging
  if (!isSameSource(record, now)) {
    throw new Failure({
      code: 'OUTGROW_SOURCE_CHANGED',
      message: `The unfinished run ${staging.run} copied another state of ${record.source}.`,
      why: 'The file was written to since; rows already copied may be out of date.',
      fix: 'Run again with --restart.',
    })
  }
  if (!isSameRun(record, now)) {
    throw new Failure({
      code: 'OUTGROW_SOURCE_CHANGED',
      message: `The unfinished run ${staging.run} was started with other options or another schema.`,
      fix: 'Resume with the same options, or run again with --restart.',
    })
  }
  return staging
}

export function otherSchema(): Failure {
  return new Failure({
    code: 'OUTGROW_SOURCE_CHANGED',
    message: 'The export was transformed with another schema.',
    fix: 'Run outgrow transform again with this schema.',
  })
}

export function unfinishedRun(staging: Staging): Failure {
  return new Failure({
    code: 'OUTGROW_RUN_UNFINISHED',
    message: `The target holds the unfinished run ${staging.run}, started ${staging.record.startedAt}.`,
    fix: 'Go on with --resume, begin again with --restart, or take it back with --abort.',
  })
}
