import type { Authority } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'

/**
 * What a reader of the backup should know of a live graduation that the file takes part in.
 * @throws Failure OUTGROW_SOURCE_GRADUATED: its rows are in Postgres by now
 */
export function notesOfGraduation(path: string, authority: Authority | undefined): string[] {
  if (authority === undefined) return []
  if (authority.side === 'postgres') {
    throw new Failure({
      code: 'OUTGROW_SOURCE_GRADUATED',
      message: `The rows of ${path} are in Postgres (database ${authority.target.database}) since ${authority.changedAt}.`,
      why: 'What the file still has is of the past: a backup of it would not contain what was written since.',
      fix: 'Back up Postgres: outgrow backup --database "$POSTGRES_URL".',
    })
  }
  return [
    `A live graduation (${authority.graduation}) was under way. In a restored file, end it with outgrow graduate cancel before the application uses it.`,
  ]
}
