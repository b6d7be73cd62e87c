import type { ValueRule } from './rule.ts'

/** Cuts an instant down to the unit that the target keeps; all in microseconds. */
export const datetimeTruncate: ValueRule<{ micros: number; beyond: number }, number> = {
  name: 'datetime-truncate',
  help: 'cuts fractional-second digits that the target cannot store',
  fix: ({ micros, beyond }) => micros - beyond,
}
