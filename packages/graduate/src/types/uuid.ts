import { applyRule } from '../rules/rule.ts'
import { uuidRespell } from '../rules/uuid-respell.ts'
import { refused, type Encode } from './encode.ts'
import { textOf } from './text-of.ts'

/** `@db.Uuid` */
export const encodeUuid: Encode = (cell, writer, context) => {
  const text = textOf(cell, context)
  if (typeof text === 'object') return text
  const hex = text.replaceAll('-', '')
  if (!/^[0-9a-f]{32}$/i.test(hex) || !/^(.{8}-.{4}-.{4}-.{4}-.{12}|.{32})$/.test(text)) {
    return refused('is not a UUID', 'remove @db.Uuid from the field')
  }
  const isUsual = text.length === 36 && text === text.toLowerCase()
  const digits = isUsual ? hex : applyRule(uuidRespell, hex, context)
  if (digits === undefined) return refused('is a UUID that PostgreSQL writes differently', uuidRespell.name)
  writer.int32(16)
  writer.bytes(Buffer.from(digits, 'hex'))
  return undefined
}

export function decodeUuid(field: Buffer): string {
  return field.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
