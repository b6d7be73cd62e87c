import { booleanWords } from './boolean-words.ts'
import { bytesFromNumber } from './bytes-from-number.ts'
import { datetimeJulian } from './datetime-julian.ts'
import { datetimeSeconds } from './datetime-seconds.ts'
import { datetimeTruncate } from './datetime-truncate.ts'
import { jsonLastKey } from './json-last-key.ts'
import { orphansNull } from './orphans-null.ts'
import { orphansQuarantine } from './orphans-quarantine.ts'
import type { ReferenceRule, Rule } from './rule.ts'
import { textPad } from './text-pad.ts'
import { textStripNul } from './text-strip-nul.ts'
import { uuidRespell } from './uuid-respell.ts'

/** Rules that `--fix` takes. */
export const rules: Rule[] = [
  booleanWords,
  datetimeSeconds,
  datetimeJulian,
  datetimeTruncate,
  textStripNul,
  textPad,
  uuidRespell,
  bytesFromNumber,
  jsonLastKey,
  orphansNull,
  orphansQuarantine,
]

/**
 * How a row whose reference points nowhere is resolved: by a rule that was asked for and applies, else undefined.
 * @param optional whether the reference may be NULL
 */
export function referenceRule(asked: ReadonlySet<string>, optional: boolean): ReferenceRule | undefined {
  return referenceRules(optional).find(({ name }) => asked.has(name))
}

/** Rules that apply to a reference which points nowhere. */
export function referenceRules(optional: boolean): ReferenceRule[] {
  return optional ? [orphansNull, orphansQuarantine] : [orphansQuarantine]
}
