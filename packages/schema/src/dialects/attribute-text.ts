import { sourceText, type RuleContext } from './context.ts'
import type { Argument, Attribute } from '../psl/syntax.ts'

/** The attribute's text with only the arguments that `keep` keeps. */
export function attributeWith(
  context: RuleContext,
  attribute: Attribute,
  keep: (argument: Argument) => string | false,
): string {
  const args = attribute.args.map(keep).filter((text) => text !== false)
  const start = attribute.args[0]?.start
  const head =
    start === undefined
      ? sourceText(context, attribute)
      : sourceText(context, { start: attribute.start, end: start }).replace(/\s*\(\s*$/, '')
  return args.length === 0 ? head : `${head}(${args.join(', ')})`
}
