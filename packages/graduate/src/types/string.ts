import { applyRule } from '../rules/rule.ts'
import { textPad } from '../rules/text-pad.ts'
import { refused, type Encode } from './encode.ts'
import { copyText, type EncodeStored } from './stored-cell.ts'
import { textOf } from './text-of.ts'
import { decodeUuid, encodeUuid } from './uuid.ts'
import type { SqlType, ValueType } from './value-type.ts'

/**
 * Text, byte for byte.
 * @param limit most characters (`varchar(n)`), undefined when unbounded
 * @param pads whether the target adds blanks up to `limit` (`char(n)`)
 */
function encoder(limit: number | undefined, pads: boolean): Encode {
  return (cell, writer, context) => {
    const text = textOf(cell, context)
    if (typeof text === 'object') return text
    if (limit !== undefined && text.length > limit && characters(text) > limit) {
      return refused(`is longer than ${limit} characters`, 'give the field a larger @db.VarChar, or none')
    }
    const missing = pads && limit !== undefined ? limit - characters(text) : 0
    const stored = missing > 0 ? applyRule(textPad, { text, missing }, context) : text
    if (stored === undefined) {
      return refused(
        `is shorter than ${limit} characters, and the target would pad it with blanks`,
        textPad.name,
      )
    }
    writer.text(stored)
    return undefined
  }
}

/** The encoder of text without a limit. */
export const encodeText: Encode = encoder(undefined, false)

/** Without a limit, and without anything that a rule might be asked about. */
export const encodeStoredText: EncodeStored = (cell, writer) =>
  cell.storage === 'text' && copyText(cell, writer)

/** @param limit most characters, of which there are no more than bytes */
function storedEncoder(limit: number | undefined): EncodeStored {
  if (limit === undefined) return encodeStoredText
  return (cell, writer) => cell.storage === 'text' && cell.length <= limit && copyText(cell, writer)
}

/** Code points, as Postgres counts characters. */
function characters(text: string): number {
  return Array.from(text).length
}

/** `varchar(n)` and `char(n)` keep n, and four more, as their modifier. */
function lengthOf(modifier: number): number | undefined {
  return modifier < 4 ? undefined : modifier - 4
}

const decode = (field: Buffer) => field.toString('utf8')
const text: SqlType = {
  kind: 'text',
  encoder: () => encodeText,
  storedEncoder: () => encodeStoredText,
  decode,
  wider: 'text',
}

export const stringType: ValueType = {
  prisma: 'String',
  column: () => ['text', -1],
  sql: {
    text,
    varchar: {
      ...text,
      encoder: ({ target }) => encoder(lengthOf(target.modifier), false),
      storedEncoder: ({ target }) => storedEncoder(lengthOf(target.modifier)),
    },
    // Blanks at the end of char(n) are no part of the value.
    bpchar: {
      kind: 'other',
      encoder: ({ target }) => encoder(lengthOf(target.modifier), true),
      decode,
      wider: 'bpchar',
    },
    citext: { ...text, kind: 'other' },
    name: { ...text, kind: 'other' },
    uuid: { kind: 'other', encoder: () => encodeUuid, decode: decodeUuid, wider: 'uuid' },
    bit: { kind: 'other', wider: 'varbit' },
    varbit: { kind: 'other', wider: 'varbit' },
    interval: { kind: 'other', wider: 'interval' },
  },
}
