import type { Rule } from './rule.ts'

/** `jsonb` does it by itself: the rule only allows it. */
export const jsonLastKey: Rule = {
  name: 'json-last-key',
  help: 'keeps what jsonb keeps: the last of equal keys, and -0.0 without its sign',
}
