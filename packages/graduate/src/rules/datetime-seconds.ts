import type { ValueRule } from './rule.ts'

export const datetimeSeconds: ValueRule<number, number> = {
  name: 'datetime-seconds',
  help: 'reads whole numbers in the range of seconds as seconds since 1970',
  fix: (seconds) => seconds * 1000,
}
