import { isSameDecimal } from './decimal.ts'
import { refused, type Encode, type EncodeContext, type Refused, type Value } from './encode.ts'
import type { EncodeStored } from './stored-cell.ts'
import type { ValueType } from './value-type.ts'

/** The same IEEE bits, and only for numbers that a double holds exactly. */
const encodeDouble: Encode = (cell, writer, context) => {
  const value = floatOf(cell, context)
  if (typeof value === 'object') return value
  writer.int32(8)
  writer.float64(value)
  return undefined
}

const encodeStoredDouble: EncodeStored = ({ storage, number }, writer) => {
  if (storage !== 'real' && !(storage === 'integer' && Number.isSafeInteger(number))) return false
  writer.int32(8)
  writer.float64(number)
  return true
}

/** `@db.Real`: four bytes, only for values that come back as they were: those they hold, and those they are printed as. */
const encodeReal: Encode = (cell, writer, context) => {
  const value = floatOf(cell, context)
  if (typeof value === 'object') return value
  if (Number.isFinite(value) && !fitsFloat32(value)) {
    return refused('has more digits than a 32-bit float can hold', 'remove @db.Real from the field')
  }
  writer.int32(4)
  writer.float32(value)
  return undefined
}

/** Postgres prints a `real` with the fewest digits that tell it from its neighbours: 0.1 comes back as 0.1. */
function fitsFloat32(value: number): boolean {
  const nearest = Math.fround(value)
  return nearest === value || shortest(nearest) === value
}

/** The number of the fewest digits that a 32-bit float is the nearest to. */
function shortest(float: number): number {
  for (let digits = 1; digits <= 9; digits++) {
    const number = Number(float.toPrecision(digits))
    if (Math.fround(number) === float) return number
  }
  return float
}

function floatOf(cell: Value, context: EncodeContext): number | Refused {
  if (typeof cell === 'number') {
    if (!Number.isInteger(cell) || Number.isSafeInteger(cell)) return cell
    // The driver rounds integers beyond 2^53 to the nearest double; a REAL of that size is what it is.
    const { storage, value } = context.readExactly()
    return storage === 'integer' ? floatOfInteger(value as bigint) : cell
  }
  if (typeof cell === 'bigint') return floatOfInteger(cell)
  if (typeof cell !== 'string') return refused('is binary data')
  const value = Number(cell)
  const same = isSameDecimal(cell.trim(), String(value))
  if (same === undefined) return refused('is text that is not a number')
  return same ? value : tooManyDigits()
}

function floatOfInteger(value: bigint): number | Refused {
  const nearest = Number(value)
  return BigInt(nearest) === value ? nearest : tooManyDigits()
}

function tooManyDigits(): Refused {
  return refused('has more digits than a 64-bit float can hold', 'make the field Decimal in the schema')
}

export const floatType: ValueType = {
  prisma: 'Float',
  column: () => ['float8', -1],
  sql: {
    float8: {
      kind: 'float',
      encoder: () => encodeDouble,
      storedEncoder: () => encodeStoredDouble,
      decode: (field) => field.readDoubleBE(),
      wider: 'float8',
    },
    float4: {
      kind: 'float',
      encoder: () => encodeReal,
      decode: (field) => shortest(field.readFloatBE()),
      wider: 'float8',
    },
  },
}
