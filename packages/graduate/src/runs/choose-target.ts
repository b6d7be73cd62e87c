import { Failure } from '@outgrow/kit'
import { findTrialDatabase, newTrialDatabase } from '../trial/trial-databases.ts'

/** Where a move goes. */
export interface MoveTarget {
  url: string
  /** Name of the embedded server's database, when it was made for this move. */
  made: string | undefined
}

interface Choice {
  /** The Postgres that was named. */
  to: string | undefined
  from: string
  workDir: string
  unfinished: 'refuse' | 'resume' | 'restart' | 'abort'
}

/**
 * The target that was named, else a database of the embedded server: the one with the unfinished run, or a new one. The
 * server goes on running, since the rows are in it.
 * @throws Failure OUTGROW_OPTION_INVALID where there is no run to resume or to abort
 */
export async function chooseMoveTarget({ to, from, workDir, unfinished }: Choice): Promise<MoveTarget> {
  if (to !== undefined) return { url: to, made: undefined }
  if (unfinished !== 'refuse') {
    const begun = await findTrialDatabase(workDir, from, 'unfinished')
    if (begun) return { url: begun.url, made: undefined }
    if (unfinished !== 'restart') {
      throw new Failure({
        code: 'OUTGROW_OPTION_INVALID',
        message: `The embedded PostgreSQL has no unfinished run of ${from}.`,
        fix: 'See outgrow postgres list, or name the target with --to.',
      })
    }
  }
  const { name, url } = await newTrialDatabase(workDir, from)
  return { url, made: name }
}

/**
 * The target that was named, else the embedded server's newest database into which the file was moved.
 * @throws Failure OUTGROW_OPTION_INVALID
 */
export async function chooseVerifyTarget({ to, from, workDir }: Omit<Choice, 'unfinished'>): Promise<string> {
  if (to !== undefined) return to
  const embedded = await findTrialDatabase(workDir, from, 'published')
  if (embedded) return embedded.url
  throw new Failure({
    code: 'OUTGROW_OPTION_INVALID',
    message: 'No target was given to compare with.',
    fix: 'Pass --to with a Postgres URL, or set POSTGRES_URL.',
  })
}
