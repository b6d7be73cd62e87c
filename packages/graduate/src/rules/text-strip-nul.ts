import type { ValueRule } from './rule.ts'

export const textStripNul: ValueRule<string, string> = {
  name: 'text-strip-nul',
  help: 'removes NUL bytes from text',
  fix: (text) => text.replaceAll('\0', ''),
}
