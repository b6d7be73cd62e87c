import type { Rule } from './rule.ts'

/** `jsonb` does it by itself: the rule only allows it. */
export const jsonLastKey: Rule = {
  name: 'json-last-key',
  help: 'accepts what jsonb changes: it keeps the last of duplicate keys and drops the sign of -0.0',
}
