/** A rule that `--fix` names. */
export interface Rule {
  name: string
  /** What it does, for `--help` and the docs; starts with a verb. */
  help: string
}

/** A rule for values: what it makes of one. */
export interface ValueRule<Value, Fixed> extends Rule {
  /** Undefined where the rule does not apply to the value. */
  fix(value: Value): Fixed | undefined
}

/** A rule for rows whose reference points nowhere. */
export interface ReferenceRule extends Rule {
  resolves: 'by clearing the reference' | 'by quarantining the row'
}

/** Which rules were asked for, and the count of what they changed. */
export interface RuleContext {
  rules: ReadonlySet<string>
  /** Counts a value that was changed by a rule or noted. */
  fixed(rule: string): void
}

/** What a rule makes of a value, where it was asked for and applies; it is counted then. */
export function applyRule<Value, Fixed>(
  rule: ValueRule<Value, Fixed>,
  value: Value,
  context: RuleContext,
): Fixed | undefined {
  if (!context.rules.has(rule.name)) return undefined
  const fixed = rule.fix(value)
  if (fixed !== undefined) context.fixed(rule.name)
  return fixed
}
