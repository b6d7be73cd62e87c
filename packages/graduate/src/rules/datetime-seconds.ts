import type { ValueRule } from './rule.ts'

export const datetimeSeconds: ValueRule<number, number> = {
  name: 'datetime-seconds',
  help: 'takes whole numbers of the size of seconds for seconds since 1970',
  fix: (seconds) => seconds * 1000,
}
