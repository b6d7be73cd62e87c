import { bad, type Bad, type Cast, type Cell, type Encode } from './codec.ts'
import { isSameDecimal } from './decimals.ts'

/** Prisma `Float`: the same IEEE bits, and only for numbers that a double holds exactly. */
export const encodeFloat: Encode = (cell, writer, cast) => {
  const value = floatOf(cell, cast)
  if (typeof value === 'object') return value
  writer.int32(8)
  writer.float64(value)
  return undefined
}

/** `@db.Real`: four bytes, only for values that come back as they were: those they hold, and those they are printed as. */
export const encodeReal: Encode = (cell, writer, cast) => {
  const value = floatOf(cell, cast)
  if (typeof value === 'object') return value
  if (Number.isFinite(value) && !fitsFloat32(value)) {
    return bad('has more digits than a 32-bit float keeps', 'take @db.Real off the field')
  }
  writer.int32(4)
  writer.float32(value)
  return undefined
}

/** Postgres prints a `real` with the fewest digits that tell it from its neighbours: 0.1 comes back as 0.1. */
function fitsFloat32(value: number): boolean {
  const nearest = Math.fround(value)
  if (nearest === value) return true
  for (let digits = 1; digits <= 9; digits++) {
    const shortest = Number(nearest.toPrecision(digits))
    if (Math.fround(shortest) === nearest) return shortest === value
  }
  return false
}

function floatOf(cell: Exclude<Cell, null>, cast: Cast): number | Bad {
  if (typeof cell === 'number') {
    if (!Number.isInteger(cell) || Number.isSafeInteger(cell)) return cell
    // The driver rounds integers beyond 2^53 to the nearest double; a REAL of that size is what it is.
    const { storage, value } = cast.readExactly()
    return storage === 'integer' ? floatOfInteger(value as bigint) : cell
  }
  if (typeof cell === 'bigint') return floatOfInteger(cell)
  if (typeof cell !== 'string') return bad('is binary data')
  const value = Number(cell)
  const same = isSameDecimal(cell.trim(), String(value))
  if (same === undefined) return bad('is text that is no number')
  return same ? value : tooManyDigits()
}

function floatOfInteger(value: bigint): number | Bad {
  const nearest = Number(value)
  return BigInt(nearest) === value ? nearest : tooManyDigits()
}

function tooManyDigits(): Bad {
  return bad('has more digits than a 64-bit float keeps', 'make the field Decimal in the schema')
}
