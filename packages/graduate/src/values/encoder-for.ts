import type { TargetColumn } from '../target/catalog.ts'
import { encodeArray } from './arrays.ts'
import { encodeBoolean } from './booleans.ts'
import { encodeBytes } from './bytes.ts'
import type { ColumnType, Encode } from './codec.ts'
import { encodeDateTime } from './datetimes.ts'
import { encodeDecimal } from './decimals.ts'
import { encodeFloat, encodeReal } from './floats.ts'
import { encodeBigInt, encodeInt } from './integers.ts'
import { encodeJson } from './json.ts'
import { encodeEnum, encodeText, encodeUuid } from './texts.ts'

/**
 * The encoder of a column, chosen once by the target's type.
 * Undefined for a type that has no binary form here: such a column is loaded as text and cast by the server.
 */
export function encoderFor(column: ColumnType): Encode | undefined {
  const { target } = column
  if (target.element) {
    const { type, oid } = target.element
    const element = encoderFor({ ...column, target: { ...target, type, element: undefined } })
    return element && encodeArray(oid, element, type)
  }
  if (target.enumValues) return encodeEnum(target.enumValues)
  switch (target.type) {
    case 'int2':
    case 'int4':
    case 'oid':
      return encodeInt(target.type)
    case 'int8':
      return encodeBigInt
    case 'bool':
      return encodeBoolean
    case 'float8':
      return encodeFloat
    case 'float4':
      return encodeReal
    case 'numeric':
      return encodeDecimal(...precisionOf(target))
    case 'timestamptz':
    case 'timestamp':
    case 'time':
      return encodeDateTime(target.type, target.modifier < 0 ? 6 : target.modifier, column)
    case 'date':
      return encodeDateTime('date', 0, column)
    case 'text':
    case 'citext':
    case 'name':
      return encodeText(undefined, false)
    case 'varchar':
      return encodeText(lengthOf(target), false)
    case 'bpchar':
      return encodeText(lengthOf(target), true)
    case 'uuid':
      return encodeUuid
    case 'jsonb':
    case 'json':
      return encodeJson(target.type)
    case 'bytea':
      return encodeBytes
    default:
      return undefined
  }
}

/** `numeric(p, s)` keeps both in one modifier. */
function precisionOf({ modifier }: TargetColumn): [precision: number | undefined, scale: number | undefined] {
  if (modifier < 4) return [undefined, undefined]
  return [(modifier - 4) >> 16, (modifier - 4) & 0x7ff]
}

function lengthOf({ modifier }: TargetColumn): number | undefined {
  return modifier < 4 ? undefined : modifier - 4
}
