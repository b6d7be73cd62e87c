import { bad, type Encode } from './codec.ts'

const decimalText = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** Prisma `Float`: the same IEEE bits. */
export const encodeFloat: Encode = (cell, writer) => {
  const value = floatOf(cell)
  if (typeof value === 'object') return value
  writer.int32(8)
  writer.float64(value)
  return undefined
}

/** `@db.Real`: four bytes, only for values that come back as they were: those they hold, and those they are printed as. */
export const encodeReal: Encode = (cell, writer) => {
  const value = floatOf(cell)
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

function floatOf(cell: unknown): number | ReturnType<typeof bad> {
  if (typeof cell === 'number') return cell
  if (typeof cell === 'bigint') return Number(cell)
  if (typeof cell === 'string' && decimalText.test(cell.trim())) return Number(cell)
  return bad(typeof cell === 'string' ? 'is text that is no number' : 'is binary data')
}
