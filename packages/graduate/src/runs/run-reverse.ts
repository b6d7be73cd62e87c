import { exit, Failure, messageOf } from '@outgrow/kit'
import { moveBack, type ReverseMove, type ReverseResult } from '../flows/reverse.ts'
import { StoppedByFindings } from '../flows/run-flow.ts'
import { isLeftBehind, Refusal, type Finding } from '../model/finding.ts'
import { strictOptions, type MoveOptions } from '../model/options.ts'
import { momentsOf } from './moments-of.ts'

export interface ReverseRun extends Omit<ReverseMove, 'options' | 'moments'> {
  /** What is left behind deliberately, by its name in the file or, where it is not there, in Postgres; `auth.*` is a schema. */
  skip?: Partial<Pick<MoveOptions, 'skipTables' | 'skipColumns' | 'skipObjects'>>
}

export interface Reversed extends ReverseResult {
  /** Done, or done with findings: what stays behind. */
  exitCode: number
}

/**
 * Moves a Postgres database into a new SQLite file by the project's schema: one state of it, every row compared before the
 * file is put in its place.
 * @throws Refusal OUTGROW_SCHEMA_DRIFT, OUTGROW_BAD_VALUES, OUTGROW_VERIFY_MISMATCH with findings; Failure
 *   OUTGROW_TARGET_NOT_EMPTY, OUTGROW_URL_INVALID, OUTGROW_DISK_FULL and what rendering the schema throws. Nothing is then
 *   in the file's place that was not there before
 */
export async function runReverse({ skip, ...request }: ReverseRun): Promise<Reversed> {
  try {
    const result = await moveBack({
      ...request,
      moments: momentsOf(request.schema),
      options: { ...strictOptions, ...skip },
    })
    return { ...result, exitCode: result.findings.length === 0 ? exit.done : exit.findings }
  } catch (error) {
    if (error instanceof StoppedByFindings) throw refusal(error.result.findings)
    throw isFull(error) ? diskFull(error) : error
  }
}

/** Rows that differ are what a comparison found; anything else was found on the way there. */
function refusal(findings: Finding[]): Refusal {
  if (findings.some(({ code }) => code.startsWith('OUTGROW_ROW_'))) {
    return new Refusal(
      {
        code: 'OUTGROW_VERIFY_MISMATCH',
        message: 'The rows in the file differ from those in Postgres. Nothing was put in place.',
        why: 'SQLite changed what was written, or this is a bug.',
        fix: 'Report it with the output of --json.',
      },
      findings,
    )
  }
  const stopping = findings.filter((finding) => !isLeftBehind(finding))
  const count = stopping.reduce((sum, finding) => sum + finding.count, 0)
  const values =
    count === 1
      ? '1 value of Postgres cannot be held by an SQLite file as it is'
      : `${count.toLocaleString('en-US')} values of Postgres cannot be held by an SQLite file as they are`
  return new Refusal(
    {
      code: 'OUTGROW_BAD_VALUES',
      message: `${values}. Nothing was put in place.`,
      why: 'No value is changed or dropped silently.',
      fix: 'Correct the values in Postgres, or leave their columns or tables out by name.',
    },
    findings,
  )
}

function isFull(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^(SQLITE_FULL|SQLITE_IOERR_WRITE|ENOSPC|EDQUOT|EFBIG)$/.test(code)
}

function diskFull(cause: unknown): Failure {
  return new Failure({
    code: 'OUTGROW_DISK_FULL',
    message: `There is no room for the file: ${messageOf(cause)} (${String((cause as { code?: unknown }).code)})`,
    why: 'It is made beside its place. What there was of it has been removed.',
    fix: 'Free some space, or name a file on another disk.',
    cause,
  })
}
