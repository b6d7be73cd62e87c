import type { PostgresDetails } from '../details.ts'
import { lostOwners, type Owners } from './owners.ts'
import type { Missing } from './requirements.ts'
import type { LeftOut } from './run-script.ts'

interface Outcome {
  details: PostgresDetails
  missing: Missing
  owners: Owners
  leftOut: readonly LeftOut[]
  /** What of owners and grants differs in the end. */
  differences: readonly string[]
}

const maxStatements = 5

/** What of a backup did not arrive, in words. */
export function notesOf({ details, missing, owners, leftOut, differences }: Outcome): string[] {
  const { roles, tablespaces } = missing
  const lost = lostOwners(details.roles.owners, owners)
  const explained = [...roles, ...tablespaces].map((name) => `"${name}" does not exist`)
  const others = leftOut.filter(({ reason }) => !explained.some((words) => reason.includes(words)))
  const shown = others.slice(0, maxStatements)
  const notes = [
    ...(roles.length === 0
      ? []
      : [
          `The target’s server does not have the roles ${roles.join(', ')}: what was granted to them is not granted. Create them before the restore if they are needed.`,
        ]),
    ...(lost.length === 0 ? [] : [`What belonged to ${lost.join(', ')} belongs to ${owners.self}.`]),
    ...(tablespaces.length === 0
      ? []
      : [
          `The target’s server does not have the tablespaces ${tablespaces.join(', ')}: what lay in them is in the default one.`,
        ]),
    ...shown.map(({ statement, reason }) => `The server refused ${statement.slice(0, 200)}: ${reason}`),
    ...(others.length > shown.length
      ? [`It refused ${others.length - shown.length} more statements of that kind.`]
      : []),
  ]
  if (missing.collation !== undefined)
    notes.push(
      `The target sorts texts by ${missing.collation}, and the database that was backed up by ${details.collation}.`,
    )
  // What follows from the above need not be counted again.
  return roles.length + lost.length + leftOut.length > 0 ? notes : [...notes, ...differences]
}
