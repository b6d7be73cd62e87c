import type { ValueRule } from './rule.ts'

/** Cuts an instant down to the unit that the target keeps; all in microseconds. */
export const datetimeTruncate: ValueRule<{ micros: number; beyond: number }, number> = {
  name: 'datetime-truncate',
  help: 'cuts digits of a second that the target cannot keep',
  fix: ({ micros, beyond }) => micros - beyond,
}
