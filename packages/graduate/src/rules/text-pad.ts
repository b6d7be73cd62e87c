import type { ValueRule } from './rule.ts'

export const textPad: ValueRule<{ text: string; missing: number }, string> = {
  name: 'text-pad',
  help: 'lets char(n) fill shorter text with blanks',
  fix: ({ text, missing }) => text + ' '.repeat(missing),
}
