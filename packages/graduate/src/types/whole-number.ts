import { refused, type EncodeContext, type Refused, type Value } from './encode.ts'

/** The exact whole number in a cell: INTEGER, an integral REAL, or its decimal text. */
export function wholeNumber(cell: Value, context: EncodeContext): number | bigint | Refused {
  if (typeof cell === 'number') {
    if (Number.isSafeInteger(cell)) return cell
    if (!Number.isInteger(cell)) {
      return refused(Number.isFinite(cell) ? 'is not a whole number' : 'is infinite')
    }
    const exact = context.readExactly()
    return exact.storage === 'integer' ? (exact.value as bigint) : BigInt(cell)
  }
  if (typeof cell === 'bigint') return cell
  if (typeof cell === 'string') {
    const text = cell.trim()
    if (/^[+-]?\d+(\.0*)?$/.test(text)) return BigInt(text.replace(/^\+/, '').replace(/\.0*$/, ''))
    return refused(text === '' ? 'is empty text' : 'is text that is not a whole number')
  }
  return refused('is binary data')
}
