import { bad, type Bad, type Cell, type Cast, type Encode } from './codec.ts'

const ranges = {
  int2: { min: -32768, max: 32767, bytes: 2 },
  int4: { min: -2147483648, max: 2147483647, bytes: 4 },
  oid: { min: 0, max: 4294967295, bytes: 4 },
} as const

/** Prisma `Int` (and smaller native types). */
export function encodeInt(type: keyof typeof ranges): Encode {
  const { min, max, bytes } = ranges[type]
  return (cell, writer, cast) => {
    const value = wholeNumber(cell, cast)
    if (typeof value === 'object') return value
    if (value < min || value > max) {
      return bad(`does not fit ${bytes * 8} bits`, 'make the field BigInt in the schema')
    }
    if (bytes === 2) {
      writer.int32(2)
      writer.int16(Number(value))
    } else {
      writer.int32(4)
      writer.int32(Number(value) | 0)
    }
    return undefined
  }
}

/** Prisma `BigInt`. */
export const encodeBigInt: Encode = (cell, writer, cast) => {
  const value = wholeNumber(cell, cast)
  if (typeof value === 'object') return value
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value) {
    return bad('does not fit 64 bits', 'make the field Decimal in the schema')
  }
  writer.int32(8)
  if (typeof value === 'bigint') writer.bigInt64(value)
  else writer.int64(value)
  return undefined
}

/** The exact whole number in a cell: INTEGER, an integral REAL, or its decimal text. */
function wholeNumber(cell: Exclude<Cell, null>, cast: Cast): number | bigint | Bad {
  if (typeof cell === 'number') {
    if (Number.isSafeInteger(cell)) return cell
    if (!Number.isInteger(cell)) {
      return bad(Number.isFinite(cell) ? 'is not a whole number' : 'is infinite')
    }
    const exact = cast.readExactly()
    return exact.storage === 'integer' ? (exact.value as bigint) : BigInt(cell)
  }
  if (typeof cell === 'bigint') return cell
  if (typeof cell === 'string') {
    const text = cell.trim()
    if (/^[+-]?\d+(\.0*)?$/.test(text)) return BigInt(text.replace(/^\+/, '').replace(/\.0*$/, ''))
    return bad(text === '' ? 'is empty text' : 'is text that is no whole number')
  }
  return bad('is binary data')
}
