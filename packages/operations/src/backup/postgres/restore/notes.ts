import type { Missing } from './requirements.ts'
import type { LeftOut } from './run-script.ts'

const maxStatements = 5

/** What of a backup did not arrive, in words. */
export function notesOf(
  { roles, tablespaces }: Missing,
  leftOut: readonly LeftOut[],
  differences: readonly string[],
): string[] {
  const notes: string[] = []
  if (roles.length > 0) {
    notes.push(
      `These roles are not on the target’s server: ${roles.join(', ')}. What they owned belongs to the role of this URL, and what was granted to them is not granted. Create them before the restore if they are needed.`,
    )
  }
  if (tablespaces.length > 0) notes.push(`These tablespaces are not on the target’s server: ${tablespaces.join(', ')}. What lay in them is in the default one.`)
  const explained = new RegExp(`(role|tablespace) "(${[...roles, ...tablespaces].map(escaped).join('|')})" does not exist`)
  const others = roles.length + tablespaces.length > 0 ? leftOut.filter(({ reason }) => !explained.test(reason)) : leftOut
  for (const { statement, reason } of others.slice(0, maxStatements)) notes.push(`The server refused ${statement.slice(0, 200)}: ${reason}`)
  if (others.length > maxStatements) notes.push(`It refused ${others.length - maxStatements} more statements of that kind.`)
  // Those that follow from roles and refusals need not be counted again.
  return notes.length > 0 ? notes : [...differences]
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
