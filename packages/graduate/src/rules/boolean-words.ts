import type { ValueRule } from './rule.ts'

const words: Record<string, 0 | 1> = {
  t: 1,
  true: 1,
  yes: 1,
  y: 1,
  on: 1,
  '1': 1,
  f: 0,
  false: 0,
  no: 0,
  n: 0,
  off: 0,
  '0': 0,
}

export const booleanWords: ValueRule<string, 0 | 1> = {
  name: 'boolean-words',
  help: 'reads t/f, true/false, yes/no, on/off as booleans',
  fix: (text) => words[text.trim().toLowerCase()],
}
