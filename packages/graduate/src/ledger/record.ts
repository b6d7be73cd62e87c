import { Failure } from '@outgrow/kit'
import { storeOptions, type MoveOptions } from '../model/options.ts'
import type { PreparedSchema } from '../model/prepared-schema.ts'
import { recordVersion, type RunRecord, type Staging } from '../model/staging.ts'
import type { Snapshot } from '../source/source.ts'

export function recordOf(options: MoveOptions, snapshot: Snapshot, prepared: PreparedSchema): RunRecord {
  return {
    version: recordVersion,
    source: snapshot.path,
    fingerprint: snapshot.position,
    startedAt: new Date().toISOString(),
    ...storeOptions(options),
    schema: prepared.checksum,
  }
}

/** Whether two runs read the same state of the same file. */
export function isSameSource(a: RunRecord, b: RunRecord): boolean {
  return a.fingerprint === b.fingerprint && a.source === b.source
}

/** Fingerprint of the rows of a graduation: it reads a copy of its own, which tells it from any other. */
export function liveFingerprint(graduation: string): string {
  return `live ${graduation}`
}

/** Whether a run was begun by a graduation of the same file. */
export function isGraduationOf({ record, run }: Staging, now: RunRecord): boolean {
  return record.source === now.source && record.fingerprint === liveFingerprint(run)
}

/** Whether two runs were asked for the same. */
export function isSameRun(a: RunRecord, b: RunRecord): boolean {
  const asked = (r: RunRecord) =>
    JSON.stringify([r.rules, r.onBadValue, r.skipTables, r.skipColumns, r.skipObjects, r.casts, r.schema])
  return asked(a) === asked(b)
}

/** @throws Failure OUTGROW_SOURCE_CHANGED unless `now` goes on with what the run began */
export function resumable(staging: Staging, now: RunRecord): Staging {
  const { record } = staging
  if (record.version !== recordVersion) {
    throw new Failure({
      code: 'OUTGROW_SOURCE_CHANGED',
      message: `The unfinished run ${staging.run} was started by another version of Outgrow.`,
      fix: 'Resume it with that version, or run again with --restart.',
    })
  }
  if (!isSameSource(record, now)) {
    throw new Failure({
      code: 'OUTGROW_SOURCE_CHANGED',
      message: `The unfinished run ${staging.run} copied a different state of ${record.source}.`,
      why: 'The file has changed since then; rows already copied may be out of date.',
      fix: 'Run again with --restart.',
    })
  }
  if (!isSameRun(record, now)) {
    throw new Failure({
      code: 'OUTGROW_SOURCE_CHANGED',
      message: `The unfinished run ${staging.run} was started with different options or a different schema.`,
      fix: isGraduationOf(staging, now)
        ? 'Go on with the same options, or take it back first: outgrow graduate cancel.'
        : 'Resume with the same options, or run again with --restart.',
    })
  }
  return staging
}

export function otherSchema(): Failure {
  return new Failure({
    code: 'OUTGROW_SOURCE_CHANGED',
    message: 'The export was transformed with a different schema.',
    fix: 'Run outgrow transform again with this schema.',
  })
}

export function runUnfinished(staging: Staging): Failure {
  return new Failure({
    code: 'OUTGROW_RUN_UNFINISHED',
    message: `The target contains the unfinished run ${staging.run}, started ${staging.record.startedAt}.`,
    fix: 'Continue it with --resume, start over with --restart, or undo it with --abort.',
  })
}
