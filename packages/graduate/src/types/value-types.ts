import type { PlannedColumn } from '../model/plan.ts'
import type { TargetColumn } from '../model/table.ts'
import { bigIntType } from './big-int.ts'
import { booleanType } from './boolean.ts'
import { bytesType } from './bytes.ts'
import { dateTimeType } from './date-time.ts'
import { decimalType } from './decimal.ts'
import type { Encode, EncodedColumn, Value } from './encode.ts'
import { encodeEnum } from './enum.ts'
import { floatType } from './float.ts'
import { intType } from './int.ts'
import { jsonType } from './json.ts'
import { decodeList, encodeList } from './list.ts'
import type { EncodeStored } from './stored-cell.ts'
import { encodeStoredText, stringType } from './string.ts'
import type { SqlType, ValueType } from './value-type.ts'

/** Prisma's scalar types. Adding one is adding a file, and its name here. */
const valueTypes: ValueType[] = [
  booleanType,
  intType,
  bigIntType,
  floatType,
  decimalType,
  stringType,
  dateTimeType,
  jsonType,
  bytesType,
]

const bySqlName = new Map(valueTypes.flatMap((type) => Object.entries(type.sql)))
const byPrismaName = new Map(valueTypes.map((type) => [type.prisma, type]))

/** What is known of a type, by its name in pg_type. */
export function sqlType(name: string): SqlType | undefined {
  return bySqlName.get(name)
}

/**
 * Whether a field of a Prisma type may lie in a column.
 * @param prisma a scalar's name, an enum's, or `Unsupported`
 */
export function isColumnOf(prisma: string, { type, element, enumValues }: TargetColumn): boolean {
  if (prisma === 'Unsupported') return true
  if (element !== undefined) return prisma === 'Json'
  const known = byPrismaName.get(prisma)
  if (known === undefined) return enumValues !== undefined
  // A String may be of any type that no other scalar has: an enum, an address.
  return type in known.sql || (known === stringType && !bySqlName.has(type))
}

/** The column that Prisma makes of a scalar field: the name of its type in pg_type, and its modifier. */
export function columnOf(prisma: string, native: string | null): [name: string, modifier: number] {
  return (byPrismaName.get(prisma) ?? stringType).column(native)
}

/** Whether a field of this type is a String in Prisma. */
export function isStringType(name: string): boolean {
  return name in stringType.sql
}

/**
 * The encoder of a column, chosen once by the target's type.
 * Undefined for a type that has no binary form here: such a column is loaded as text and cast by the server.
 */
export function encoderFor(column: EncodedColumn): Encode | undefined {
  const { target } = column
  if (target.element) {
    const { type, oid } = target.element
    const element = encoderFor({ ...column, target: { ...target, type, element: undefined } })
    return element && encodeList(oid, element, type)
  }
  if (target.enumValues) return encodeEnum(target.enumValues)
  return sqlType(target.type)?.encoder?.(column)
}

/** What writes a column's values straight from a file's bytes; undefined where each goes through its encoder. */
export function storedEncoderFor({ target, castTo, presenceOnly }: PlannedColumn): EncodeStored | undefined {
  if (presenceOnly) return undefined
  if (castTo !== undefined) return encodeStoredText
  if (target.element || target.enumValues) return undefined
  const type = sqlType(target.type)
  if (type?.encoder === undefined) return encodeStoredText
  return type.storedEncoder?.({ target, looksLikeSeconds: () => false })
}

/** Whether a column's values go to the target in their binary form. */
export function hasBinaryForm(target: TargetColumn): boolean {
  return encoderFor({ target, looksLikeSeconds: () => false }) !== undefined
}

/** Whether the server makes a column's values of text, by rules of its own. */
export function isCast({ target, castTo }: Pick<PlannedColumn, 'target' | 'castTo'>): boolean {
  return castTo !== undefined || !hasBinaryForm(target)
}

/** The binary form in which a column's values are sent: a type of Postgres and its modifier. */
export function formOf({ target, castTo }: PlannedColumn): string {
  const { type, modifier } = target
  return castTo === undefined && hasBinaryForm(target) && type !== 'text' ? `${type} ${modifier}` : 'text'
}

/** Whether a column's values go to the target in the binary form of lists. */
export function isSentAsList({ target, castTo, presenceOnly }: Omit<PlannedColumn, 'source'>): boolean {
  return target.element !== undefined && castTo === undefined && !presenceOnly && hasBinaryForm(target)
}

/** The canonical stored value behind a field's bytes; undefined for a type that has no binary form here. */
export function decodeField(target: TargetColumn, field: Buffer): Value | undefined {
  if (target.element) {
    const element = { ...target, type: target.element.type, element: undefined }
    return decodeList(field, (item) => elementText(element, decodeField(element, item)))
  }
  if (target.enumValues) return field.toString('utf8')
  return sqlType(target.type)?.decode?.(field)
}

/** A list's element as JSON. */
function elementText({ type }: TargetColumn, value: Value | undefined): string {
  const kind = sqlType(type)?.kind
  if (kind === 'bool') return String(value === 1)
  if (kind === 'json' || typeof value === 'bigint') return String(value)
  return JSON.stringify(Buffer.isBuffer(value) ? value.toString('base64') : value)
}
