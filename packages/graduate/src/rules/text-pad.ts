import type { ValueRule } from './rule.ts'

export const textPad: ValueRule<{ text: string; missing: number }, string> = {
  name: 'text-pad',
  help: 'pads shorter text with blanks for char(n)',
  fix: ({ text, missing }) => text + ' '.repeat(missing),
}
