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

/** `@db.Real`: four bytes, only for values that they hold. */
export const encodeReal: Encode = (cell, writer) => {
  const value = floatOf(cell)
  if (typeof value === 'object') return value
  if (Math.fround(value) !== value) {
    return bad('does not fit a 32-bit float exactly', 'take @db.Real off the field')
  }
  writer.int32(4)
  writer.float32(value)
  return undefined
}

function floatOf(cell: unknown): number | ReturnType<typeof bad> {
  if (typeof cell === 'number') return cell
  if (typeof cell === 'bigint') return Number(cell)
  if (typeof cell === 'string' && decimalText.test(cell.trim())) return Number(cell)
  return bad(typeof cell === 'string' ? 'is text that is no number' : 'is binary data')
}
